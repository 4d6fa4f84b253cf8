// Who may read the admin listener: decides from headers alone, knows no sockets.

import { createHash, timingSafeEqual } from "node:crypto";
import { isLoopbackHost } from "../lib/loopback.ts";

/**
 * Whether the Host header is one that the listener goes by. A web page that rebinds its own name to 127.0.0.1 can make
 * a browser on this machine ask here, but under its own name. Away from loopback the token keeps it out instead.
 */
export function isExpectedHost(header: string | undefined, adminHost: string): boolean {
  if (!isLoopbackHost(adminHost)) return true;
  return isLoopbackHost(hostnameOf(header ?? ""));
}

/**
 * Whether the Authorization header shows the token: as bearer (RFC 6750), or as the password of Basic (RFC 7617),
 * which is what a browser can ask for. The user name does not matter. An empty token lets everybody in.
 */
export function showsToken(header: string | undefined, token: string): boolean {
  if (token === "") return true;
  const [, scheme = "", credentials = ""] = /^(\S+) +(\S+)$/.exec(header ?? "") ?? [];
  if (scheme.toLowerCase() === "bearer") return isSame(credentials, token);
  if (scheme.toLowerCase() === "basic") return isSame(passwordOf(credentials), token);
  return false;
}

/** The name in a Host header, without port and brackets, in lower case. */
function hostnameOf(header: string): string {
  const [, bracketed, plain] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(header) ?? [];
  return (bracketed ?? plain ?? "").toLowerCase();
}

function passwordOf(credentials: string): string {
  const text = Buffer.from(credentials, "base64").toString("utf8");
  return text.slice(text.indexOf(":") + 1);
}

/** In a time that tells nothing about the token, its length included. */
function isSame(shown: string, token: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(shown), digest(token));
}
