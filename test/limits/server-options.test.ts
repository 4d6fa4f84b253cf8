import { expect, test } from "vitest";
import { guardedServerOptions } from "../../src/limits/server-options.ts";
import { resolveOptions } from "../../src/options/resolve.ts";

const optionsWith = (file: Record<string, unknown>) => resolveOptions({ file }).options;

test("the limits of the box are Socket.IO's, and a parser that knows them", () => {
  const options = guardedServerOptions({}, optionsWith({ "limits.maxPayloadBytes": 5000 }));

  expect(options).toEqual({ maxHttpBufferSize: 5000, parser: expect.objectContaining({ Encoder: expect.anything() }) });
});

test("what the app asks for is kept, and its object is not touched", () => {
  const parser = {};
  const appOptions = Object.freeze({
    parser,
    maxHttpBufferSize: 7,
    pingInterval: 1,
    cors: { origin: "https://a.example" },
  });

  const options = guardedServerOptions(appOptions, optionsWith({ "limits.origins": ["https://b.example"] }));

  expect(options).toEqual(appOptions);
  expect(options).not.toBe(appOptions);
});

test.each([
  [[], undefined],
  [["same"], undefined],
  [["https://a.example", "same"], { origin: ["https://a.example"] }],
])("with the origins %j the CORS setting is %j", (origins, cors) => {
  expect(guardedServerOptions({}, optionsWith({ "limits.origins": origins })).cors).toEqual(cors);
});
