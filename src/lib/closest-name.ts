// "Did you mean ...?": the known name that takes the fewest typing errors to reach.

/** The closest of `names`, or `undefined` when none is close enough to be what was meant. */
export function closestName(typed: string, names: readonly string[]): string | undefined {
  const byDistance = names
    .map((name) => ({ name, distance: typingErrors(typed, name) }))
    .sort((a, b) => a.distance - b.distance);
  const [best] = byDistance;
  const tolerated = Math.max(1, Math.floor(typed.length / 3));
  return best !== undefined && best.distance <= tolerated ? best.name : undefined;
}

/** Characters to insert, delete, replace or swap with their neighbour (the optimal string alignment distance). */
function typingErrors(from: string, to: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_unused, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const isSame = from[row - 1] === to[column - 1];
      const isSwap = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current[column] = Math.min(
        at(previous, column) + 1,
        at(current, column - 1) + 1,
        at(previous, column - 1) + (isSame ? 0 : 1),
        isSwap ? at(beforePrevious, column - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    beforePrevious = previous;
    previous = current;
  }
  return at(previous, to.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
