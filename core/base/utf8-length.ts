/** How many bytes a text has in UTF-8, without encoding it; -1 if it holds a lone surrogate, which UTF-8 cannot say. */
export function utf8Length(text: string): number {
  const units = text.length;
  let bytes = units;
  for (let index = 0; index < units; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    if (unit < 0x800) bytes += 1;
    else if (unit < 0xd800 || unit > 0xdfff) bytes += 2;
    else {
      // A pair is two units and four bytes.
      const next = text.charCodeAt(index + 1);
      if (unit > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) return -1;
      bytes += 2;
      index += 1;
    }
  }
  return bytes;
}
