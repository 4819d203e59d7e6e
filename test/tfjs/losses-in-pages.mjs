import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/bootstrap/paths.mjs';

/**
 * The list of all losses, for programs that cannot read it from a folder.
 * @type {import('esbuild').Plugin}
 */
export const lossesInPages = {
  name: 'losses in pages',
  setup({ onLoad, onResolve }) {
    const folder = join(root, 'test', 'losses');
    const files = readdirSync(folder).filter(
      (name) => !/^(?:index|loss-tests)\.|\.test\./.test(name),
    );
    const imports = files.map((name, i) => `import * as m${i} from './${name}';`);
    const names = files.map((_, i) => `...Object.values(m${i})`);
    const contents = `${imports.join('\n')}\nexport const LOSSES = [${names}];`;
    onResolve({ filter: /\/losses\/index\.js$/ }, () => ({ path: folder, namespace: 'losses' }));
    onLoad({ filter: /./, namespace: 'losses' }, () => ({ contents, resolveDir: folder }));
    onResolve({ filter: /^node:fs$/ }, ({ path }) => ({ path, namespace: 'node' }));
    onLoad({ filter: /./, namespace: 'node' }, () => ({
      contents: 'export const readFileSync = undefined;',
    }));
  },
};
