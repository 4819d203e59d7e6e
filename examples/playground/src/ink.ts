// Text on colours.

/** Black or white, whichever can be read better on a colour: then the contrast is 4.58 or more. */
export function inkOn(color: string): 'black' | 'white' {
  return luminanceOf(color) > 0.179 ? 'black' : 'white';
}

/** The relative luminance of a colour, as WCAG 2 defines it, of `rgb(…)` or `#rrggbb`. */
export function luminanceOf(color: string): number {
  const [red, green, blue] = channelsOf(color).map((channel) => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function channelsOf(color: string): number[] {
  if (color.startsWith('#'))
    return [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
  return Array.from(color.matchAll(/[\d.]+/g), ([digits]) => Number(digits)).slice(0, 3);
}
