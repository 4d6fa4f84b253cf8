// A small chart without axes: where a number has been in the last two minutes. The number itself stands beside it in
// text, so the drawing is hidden from screen readers.

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 120;
const HEIGHT = 30;
/** Room for half the stroke. */
const TOP = 2;

/** The line through the values, the newest at the right edge. `top` is the value at the upper edge. */
export function linePath(values: readonly number[], top: number): string {
  const points = values.map((value, i) => {
    const x = WIDTH - (values.length - 1 - i);
    const y = HEIGHT - (Math.min(value, top) / top) * (HEIGHT - TOP);
    return `${x} ${y.toFixed(1)}`;
  });
  return points.length < 2 ? "" : `M${points.join("L")}`;
}

export class Sparkline {
  readonly element: SVGSVGElement;
  readonly #area: SVGPathElement;
  readonly #stroke: SVGPathElement;

  constructor() {
    this.element = document.createElementNS(SVG, "svg");
    this.element.setAttribute("class", "spark");
    this.element.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    this.element.setAttribute("preserveAspectRatio", "none");
    this.element.setAttribute("aria-hidden", "true");
    this.#area = this.#addPath("area");
    this.#stroke = this.#addPath("stroke");
  }

  /** `floor`: the least value that fills the height, so that noise around zero stays small. */
  draw(values: readonly number[], floor: number): void {
    const line = linePath(values, Math.max(floor, ...values));
    this.#stroke.setAttribute("d", line);
    this.#area.setAttribute(
      "d",
      line === "" ? "" : `${line}L${WIDTH} ${HEIGHT}L${WIDTH + 1 - values.length} ${HEIGHT}Z`,
    );
  }

  #addPath(name: string): SVGPathElement {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("class", name);
    this.element.append(path);
    return path;
  }
}
