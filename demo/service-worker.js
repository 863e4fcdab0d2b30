// Caches the page, the engine, the embedder and the products when it is installed, so that a reload works without a
// network. Every file but the page itself has its content's hash in its name: a cached one never goes stale.
const FILES = /* FILES */ [];
const CACHE = `elanus-demo-${hash(FILES.join(' '))}`;

function hash(text) {
  let value = 5381;
  for (const letter of text) value = ((value * 33) ^ letter.codePointAt(0)) >>> 0;
  return value.toString(36);
}

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
