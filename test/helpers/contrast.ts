// Texts on a page that are hard to read: less contrast than WCAG 2.2, 1.4.3 asks for. Runs inside the page.

export function findFaintTexts(): string[] {
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  if (context === null) throw new Error("no canvas");

  /** Any CSS colour, painted over what is below it. */
  const paint = (colours: readonly string[]): number[] => {
    context.clearRect(0, 0, 1, 1);
    for (const colour of ["#ffffff", ...colours]) {
      context.fillStyle = colour;
      context.fillRect(0, 0, 1, 1);
    }
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (colour: number[]): number => {
    const [red = 0, green = 0, blue = 0] = colour.map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const backgroundsOf = (element: Element | null): string[] =>
    element === null ? [] : [...backgroundsOf(element.parentElement), getComputedStyle(element).backgroundColor];

  return [...document.querySelectorAll<HTMLElement>("body *")]
    .filter((element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent?.trim() !== ""))
    .filter(
      (element) => element.checkVisibility() && element.offsetWidth > 1 && !element.matches(":disabled, :disabled *"),
    )
    .flatMap((element) => {
      const { color, fontSize, fontWeight } = getComputedStyle(element);
      const backgrounds = backgroundsOf(element);
      const [text, ground] = [luminance(paint([...backgrounds, color])), luminance(paint(backgrounds))];
      const ratio = (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05);
      const isLarge =
        Number.parseFloat(fontSize) >= 24 || (Number.parseFloat(fontSize) >= 18.66 && Number(fontWeight) >= 700);
      return ratio >= (isLarge ? 3 : 4.5)
        ? []
        : [`${ratio.toFixed(2)} ${element.tagName}.${element.className}: ${element.textContent}`];
    });
}
