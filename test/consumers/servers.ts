// Servers for the pages that browsers open, and the one that they report to.

import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { extname, join } from 'node:path';
import { consumerBin } from '../../scripts/bootstrap/consumers.mjs';

/** A server that has been started. */
export interface Server {
  readonly url: string;
  close(): void;
}

function start(listener: RequestListener): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(listener).on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      const close = () => {
        server.close();
        server.closeAllConnections();
      };
      resolve({ url: `http://127.0.0.1:${port}`, close });
    });
  });
}

const TYPES: Record<string, string> = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

/** Serves the files of a folder under a Content-Security-Policy, with more headers. */
export function serveFiles(
  folder: string,
  policy: string,
  headers: Record<string, string> = {},
): Promise<Server> {
  return start(async ({ url = '' }, response) => {
    const { pathname } = new URL(url, 'http://localhost');
    try {
      const content = await readFile(join(folder, pathname));
      const type = TYPES[extname(pathname)] ?? 'application/octet-stream';
      response
        .writeHead(200, { 'Content-Type': type, 'Content-Security-Policy': policy, ...headers })
        .end(content);
    } catch {
      response.writeHead(404).end();
    }
  });
}

/** Vite's server for development, in a project. */
export function serveVite(project: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const args = [
      consumerBin('vite'),
      '--host',
      '127.0.0.1',
      '--logLevel',
      'info',
      '--clearScreen',
      'false',
    ];
    const server = spawn(process.execPath, args, {
      cwd: project,
      env: { ...process.env, NO_COLOR: '1' },
    });
    let output = '';
    const collect = (text: Buffer) => {
      output += text;
      const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(output) ?? [];
      if (url) resolve({ url, close: () => server.kill() });
    };
    server.stdout.on('data', collect);
    server.stderr.on('data', collect);
    server.on('error', reject);
    server.on('exit', () => reject(new Error(`Vite's server ended: ${output}`)));
  });
}

/** Takes one report. */
export async function takeReport(): Promise<Server & { readonly report: Promise<unknown> }> {
  let take: (report: unknown) => void;
  const report = new Promise<unknown>((resolve) => {
    take = resolve;
  });
  const server = await start(async (request, response) => {
    let text = '';
    for await (const part of request) text += part;
    response.end();
    if (request.method === 'POST') take(JSON.parse(text));
  });
  return { ...server, report };
}
