// How fast a client may go: a token bucket.
// Nothing is scheduled here and the clock comes in as an argument.

export interface RateLimit {
  /** Tokens that come back per second. 0: no limit. */
  readonly perSecond: number;
  /** Tokens of a full bucket: what may be taken at once. */
  readonly burst: number;
}

export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #filledAtMs: number;

  constructor({ perSecond, burst }: RateLimit, nowMs: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
    this.#filledAtMs = nowMs;
  }

  /** Takes one token and returns 0, or takes none and returns in how many milliseconds there will be one. */
  take(nowMs: number): number {
    if (this.#perSecond === 0) return 0;
    this.#fill(nowMs);
    if (this.#tokens < 1) return Math.ceil(((1 - this.#tokens) * 1000) / this.#perSecond);
    this.#tokens--;
    return 0;
  }

  isFull(nowMs: number): boolean {
    this.#fill(nowMs);
    return this.#tokens >= this.#burst;
  }

  #fill(nowMs: number): void {
    const elapsedMs = Math.max(0, nowMs - this.#filledAtMs);
    this.#tokens = Math.min(this.#burst, this.#tokens + (elapsedMs * this.#perSecond) / 1000);
    this.#filledAtMs = nowMs;
  }
}

/** Past this many buckets those that are full again are forgotten: a full bucket is as good as a new one. */
const TIDY_ABOVE = 64;

/** One bucket a key, for keys that clients choose. */
export class KeyedBuckets {
  readonly #limit: RateLimit;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(limit: RateLimit) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** As `TokenBucket.take`. */
  take(key: string, nowMs: number): number {
    return (this.#buckets.get(key) ?? this.#add(key, nowMs)).take(nowMs);
  }

  #add(key: string, nowMs: number): TokenBucket {
    if (this.#buckets.size >= TIDY_ABOVE) this.#tidy(nowMs);
    const bucket = new TokenBucket(this.#limit, nowMs);
    this.#buckets.set(key, bucket);
    return bucket;
  }

  #tidy(nowMs: number): void {
    for (const [key, bucket] of this.#buckets) {
      if (bucket.isFull(nowMs)) this.#buckets.delete(key);
    }
  }
}
