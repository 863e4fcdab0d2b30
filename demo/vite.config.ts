import { readFileSync } from 'node:fs';
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
      const source = readFileSync(`${here}service-worker.js`, 'utf8');
      this.emitFile({
        type: 'asset',
        fileName: 'sw.js',
        source: source.replace('/* FILES */ []', JSON.stringify(files.sort())),
      });
    },
  };
}

export default defineConfig({
  root: here,
  base: './',
  build: { outDir: '../dist/demo', emptyOutDir: true, target: 'es2024', assetsInlineLimit: 0 },
  worker: { format: 'es' },
  plugins: [serviceWorker()],
});
