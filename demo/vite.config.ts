import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

const here = fileURLToPath(new URL('.', import.meta.url));

/** Emits the service worker with the names of all files of the page: it caches them at its installation. */
function serviceWorker(): Plugin {
  return {
    name: 'service-worker',
    apply: 'build',
    generateBundle(_, bundle) {
      const files = ['./', ...Object.keys(bundle).filter((file) => !file.endsWith('.map') && file !== 'index.html')];
      // The icons and the manifest keep their names: their content counts for the version instead.
      const icons = readdirSync(`${here}public`);
      const version = createHash('sha256').update(files.sort().join(' '));
      for (const icon of icons) version.update(readFileSync(`${here}public/${icon}`));
      const source = readFileSync(`${here}service-worker.js`, 'utf8')
        .replace('/* FILES */ []', JSON.stringify([...files, ...icons]))
        .replace('/* VERSION */', version.digest('hex').slice(0, 16));
      this.emitFile({ type: 'asset', fileName: 'sw.js', source });
    },
  };
}

/** Browsers that know `light-dark()`: lowered, it would not follow the page's own switch. */
const CSS_TARGET = ['chrome123', 'firefox120', 'safari17.5'];

export default defineConfig({
  root: here,
  base: './',
  build: { outDir: '../dist/demo', emptyOutDir: true, target: 'es2024', cssTarget: CSS_TARGET, assetsInlineLimit: 0 },
  worker: { format: 'es' },
  plugins: [serviceWorker()],
});
