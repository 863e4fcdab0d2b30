/**
 * On every response of the API. A page from any origin may call it: there are no cookies, only a token that the page
 * itself must know. The list of request headers is Milvus's and those that its own list forgot.
 */
export const RESPONSE_HEADERS: readonly (readonly [string, string])[] = [
  ['Access-Control-Allow-Origin', '*'],
  ['Access-Control-Allow-Credentials', 'true'],
  [
    'Access-Control-Allow-Headers',
    'Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token, Authorization, accept, origin, Cache-Control, X-Requested-With, Accept-Type-Allow-Int64, Request-Timeout, DB-Name, RequestId, Elanus-Client',
  ],
  ['Access-Control-Allow-Methods', 'GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH'],
  // A browser asks before each kind of call; it may remember the answer for a day.
  ['Access-Control-Max-Age', '86400'],
  ['X-Content-Type-Options', 'nosniff'],
];
