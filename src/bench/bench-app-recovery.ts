// The bench app as an app that wants its clients' sessions back: what allcores promises its users, and what it costs.

import benchApp from "./bench-app.ts";

export default { ...benchApp, io: { ...benchApp.io, connectionStateRecovery: {} } };
