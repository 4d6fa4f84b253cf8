// Runs around every test file.

import { afterAll } from "vitest";
import { stopLeftovers } from "./helpers/box.ts";

afterAll(stopLeftovers);
