// What a link holds: the tab and its input, in the fragment, which a browser never sends to a server.

const LONGEST = 60_000;

const packedBytes = async (bytes, Stream) =>
  new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(new Stream("deflate-raw"))).arrayBuffer());

const toText = (bytes) => btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join(""))
  .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

const toBytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));

/** Return the fragment of an input; nothing where it is too long for a link. Short ones can be read, long ones are packed. */
export async function toFragment(tab, input) {
  const plain = `#${tab}=${encodeURIComponent(JSON.stringify(input))}`;
  if (plain.length < 1500) return plain;
  const packed = await packedBytes(new TextEncoder().encode(JSON.stringify(input)), CompressionStream);
  const text = `#${tab}~${toText(packed)}`;
  return text.length <= LONGEST ? text : "";
}

/** Return the tab and the input of a fragment; null where it holds none. */
export async function fromFragment(fragment) {
  const match = /^#(expression|network|check)([=~])(.*)$/s.exec(fragment);
  if (!match) return null;
  try {
    const text = match[2] === "=" ? decodeURIComponent(match[3])
      : new TextDecoder().decode(await unpacked(toBytes(match[3])));
    const input = JSON.parse(text);
    return input && typeof input === "object" ? { tab: match[1], input } : null;
  } catch {
    return null;
  }
}

/** Return unpacked bytes, at most some millions of them. */
async function unpacked(bytes) {
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  const parts = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > 8_000_000) throw new Error("too large");
    parts.push(value);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}
