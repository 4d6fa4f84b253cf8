/**
 * Sockets that their app has disconnected, and whose disconnect has yet to get its place in the order of the box. They are
 * connected until then, so that they get what was said to them before, but nothing of theirs is handled any more.
 */
export const leavingSockets = new Set<object>();
