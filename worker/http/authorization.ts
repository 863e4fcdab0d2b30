const encoder = new TextEncoder();

/**
 * Whether an `Authorization` header carries the token: `Bearer <token>`, where the token may have the form
 * `<user>:<password>` as Milvus's clients send it, or HTTP Basic with that user and password.
 *
 * The time that it takes tells nothing about the token: both sides are hashed to one length, and every byte of the
 * hashes is compared.
 */
export async function isAuthorized(header: string | null, token: string): Promise<boolean> {
  const [presented, expected] = await Promise.all([digest(credentialsOf(header)), digest(token)]);
  return crypto.subtle.timingSafeEqual(presented, expected);
}

function credentialsOf(header: string | null): string {
  const [, scheme = '', credentials = ''] = /^(\S+) +(\S.*)$/.exec(header ?? '') ?? [];
  if (scheme.toLowerCase() === 'bearer') return credentials.trimEnd();
  if (scheme.toLowerCase() !== 'basic') return '';
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(credentials), (character) => character.charCodeAt(0)));
  } catch {
    return '';
  }
}

function digest(text: string): Promise<ArrayBuffer> {
  return crypto.subtle.digest('SHA-256', encoder.encode(text));
}
