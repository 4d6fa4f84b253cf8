// What both ends of a bus connection must have in common: the version of the package and of the frames.

import { createRequire } from "node:module";

const FRAMES_VERSION = 1;

const { version } = createRequire(import.meta.url)("allcores/package.json") as { version: string };

/** Version of this package. */
export const VERSION = version;

/** `VERSION+frames.N`: peers with another one are refused. */
export const BUILD = `${version}+frames.${FRAMES_VERSION}`;
