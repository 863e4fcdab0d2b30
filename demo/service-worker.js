// Caches the page, the engine, the embedder and the products when it is installed, so that a reload works without a
// network. The version follows from the names of all files, which hold their contents' hashes, and from the contents of the icons: a
// cached file never goes stale.
const FILES = /* FILES */ [];
const CACHE = 'elanus-demo-/* VERSION */';

self.addEventListener('install', (event) => {
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll(FILES))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener('activate', (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== location.origin || url.pathname.startsWith('/v2/')) return;
  const isPage = request.mode === 'navigate';
  event.respondWith(isPage ? pageFirst(request) : cacheFirst(request));
});

/** The newest page if the network answers, else the cached one. */
async function pageFirst(request) {
  try {
    return await fetch(request);
  } catch {
    const cached = await caches.match('./');
    return cached ?? Response.error();
  }
}

async function cacheFirst(request) {
  return (await caches.match(request)) ?? fetch(request);
}
