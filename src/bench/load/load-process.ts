// Entry of a load process, forked by the fleet. It does what it is told and ends with its parent.

import type { CommandName, FromLoadProcess, LoadAnswers, ToLoadProcess } from "./load-messages.ts";
import { LoadRun } from "./load-run.ts";

const PULSE_MS = 1000;

let run: LoadRun | undefined;

process.once("disconnect", () => process.exit(0));
// The terminal's Ctrl-C reaches the whole group: the parent decides.
process.on("SIGINT", () => {});
process.on("message", (command: ToLoadProcess) => void obey(command));
tell({ name: "up" });

async function obey(command: ToLoadProcess): Promise<void> {
  const body = await answer(command);
  tell({ name: command.name, body } as FromLoadProcess);
}

function answer(command: ToLoadProcess): LoadAnswers[CommandName] | Promise<LoadAnswers[CommandName]> {
  if (command.name === "connect") {
    const begun = new LoadRun(command.body.assignment);
    run = begun;
    setInterval(() => tell({ name: "pulse", ...begun.takePulse() }), PULSE_MS);
    return begun.connect(command.body.startUs);
  }
  if (run === undefined) throw new Error(`"${command.name}" came before "connect".`);
  switch (command.name) {
    case "go":
      return run.go(command.body);
    case "stop":
      return run.stop(command.body);
    case "settle":
      return run.settle(command.body);
    case "sequences":
      return run.sequences(command.body.room);
  }
}

function tell(message: FromLoadProcess): void {
  process.send?.(message);
}
