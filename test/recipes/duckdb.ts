// In place of `@duckdb/node-api`, which takes 70 MB: what version 1.5.6 gave for a table of three
// predictions.

class Connection {
  async runAndReadAll(_query: string) {
    return {
      getColumnsObject: () => ({
        no: [2.5, 0.5, -1],
        yes: [-1, 0.5, 2],
        label: ['no', null, 'yes'],
      }),
    };
  }
}

export const DuckDBConnection = { create: async () => new Connection() };
