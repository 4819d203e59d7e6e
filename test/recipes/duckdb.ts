// In place of `@duckdb/node-api`, which takes 70 MB: what it gave for a table of three predictions. 64-bit integers are BigInts.

class Connection {
  async runAndReadAll(_query: string) {
    return { getColumnsObject: () => ({ no: [2.5, 0.5, -1], yes: [-1, 0.5, 2], label: [0n, -100n, 1n] }) };
  }
}

export const DuckDBConnection = { create: async () => new Connection() };
