// Decides whether one order of messages exists that every member's sequence fits: draw an arrow from each message to
// the one seen next, over all sequences; such an order exists exactly when the arrows form no circle.

/** Two messages that one member saw one way round and another member the other way. */
export interface Disagreement {
  readonly first: number;
  readonly second: number;
}

/** `undefined` when all sequences fit one order. */
export function findDisagreement(sequences: readonly Float64Array[]): Disagreement | undefined {
  const circle = messagesOnCircles(sequences);
  if (circle.size === 0) return undefined;
  return findSwappedPair(sequences, circle) ?? anyTwo(circle);
}

/** Takes away, again and again, what nothing points at; what is left lies on circles or behind them. */
function messagesOnCircles(sequences: readonly Float64Array[]): Set<number> {
  const { followers, arrowsIn } = drawArrows(sequences);
  const free = [...arrowsIn].filter(([, count]) => count === 0).map(([key]) => key);
  for (let key = free.pop(); key !== undefined; key = free.pop()) {
    arrowsIn.delete(key);
    for (const follower of followers.get(key) ?? []) {
      const left = (arrowsIn.get(follower) ?? 0) - 1;
      arrowsIn.set(follower, left);
      if (left === 0) free.push(follower);
    }
  }
  return new Set(arrowsIn.keys());
}

function drawArrows(sequences: readonly Float64Array[]) {
  const followers = new Map<number, number[]>();
  const arrowsIn = new Map<number, number>();
  for (const sequence of sequences) {
    let before: number | undefined;
    for (const key of sequence) {
      arrowsIn.set(key, (arrowsIn.get(key) ?? 0) + (before === undefined ? 0 : 1));
      if (before !== undefined) addFollower(followers, before, key);
      before = key;
    }
  }
  return { followers, arrowsIn };
}

function addFollower(followers: Map<number, number[]>, key: number, follower: number): void {
  const list = followers.get(key);
  if (list === undefined) followers.set(key, [follower]);
  else list.push(follower);
}

function findSwappedPair(sequences: readonly Float64Array[], circle: ReadonlySet<number>): Disagreement | undefined {
  const [reference, ...others] = sequences;
  if (reference === undefined) return undefined;
  const places = new Map<number, number>();
  for (const [place, key] of reference.entries()) if (circle.has(key) && !places.has(key)) places.set(key, place);
  for (const other of others) {
    const pair = firstStepBack(other, places);
    if (pair !== undefined) return pair;
  }
  return findSwappedPair(others, circle);
}

function firstStepBack(sequence: Float64Array, places: ReadonlyMap<number, number>): Disagreement | undefined {
  let furthest: { key: number; place: number } | undefined;
  for (const key of sequence) {
    const place = places.get(key);
    if (place === undefined) continue;
    if (furthest !== undefined && place < furthest.place) return { first: key, second: furthest.key };
    furthest = { key, place };
  }
  return undefined;
}

function anyTwo(circle: ReadonlySet<number>): Disagreement {
  const [first = 0, second = first] = circle;
  return { first, second };
}
