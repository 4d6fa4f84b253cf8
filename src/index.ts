// What `import ... from "allcores"` gives.

export { AllcoresError, ERROR_CODES, type ErrorCode, PoolSaturatedError } from "./errors.ts";
export type { AffinityFunction, RequestHead } from "./lib/app-module.ts";
export type { Logger } from "./lib/logger.ts";
export type { Options } from "./options/options.ts";
export { type AppDefinition, defineApp } from "./socket-worker/app.ts";
export type { Box } from "./socket-worker/context.ts";
