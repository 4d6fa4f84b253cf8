// The colours of the pictures, and the way from a tile's bytes to its pixels.

type Colour = readonly [red: number, green: number, blue: number];

/** Night, sea, foam, sand, earth and night again, so that there is no seam between 255 and 1. */
const STOPS: readonly (readonly [place: number, colour: Colour])[] = [
  [0, [4, 8, 60]],
  [0.18, [28, 92, 190]],
  [0.42, [236, 250, 255]],
  [0.64, [255, 176, 32]],
  [0.85, [92, 20, 36]],
  [1, [4, 8, 60]],
];
const INSIDE: Colour = [8, 9, 22];

const PALETTE: readonly Colour[] = Array.from({ length: 256 }, (_, index) =>
  index === 0 ? INSIDE : colourAt((index - 1) / 255),
);

function colourAt(place: number): Colour {
  const next = STOPS.findIndex(([stop]) => stop > place);
  const [from, before] = STOPS[next - 1] ?? [0, INSIDE];
  const [to, after] = STOPS[next] ?? [1, INSIDE];
  const share = (place - from) / (to - from);
  const mix = (index: 0 | 1 | 2): number => Math.round(before[index] + share * (after[index] - before[index]));
  return [mix(0), mix(1), mix(2)];
}

export async function tileToImage(pixels: Uint8Array<ArrayBuffer>, size: number): Promise<ImageData> {
  const inflated = new Blob([pixels]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const places = new Uint8Array(await new Response(inflated).arrayBuffer());
  const image = new ImageData(size, size);
  for (const [index, place] of places.entries()) {
    const [red, green, blue] = PALETTE[place] ?? INSIDE;
    image.data.set([red, green, blue, 255], index * 4);
  }
  return image;
}
