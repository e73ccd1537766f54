import react from '@vitejs/plugin-react';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const server = process.env.FORESIGHT_URL ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  server: {
    proxy: { '/graphql': { target: server, ws: true } },
  },
  build: {
    // dist holds a committed .gitkeep, without which the Go package does not compile.
    emptyOutDir: false,
    target: 'es2022',
    manifest: 'manifest.json',
    // Everything is a file of its own: the Content-Security-Policy allows no data: scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  test: {
    environment: 'jsdom',
    setupFiles: ['src/testing/setup.ts'],
    css: false,
    testTimeout: 120_000,
    environmentOptions: { jsdom: { url: 'http://localhost/' } },
  },
});
