// Questions to the server. Of each kind only the last one counts: an earlier one that still waits is given up.

const waiting = new Map();

export class Refused extends Error {
  constructor(error) {
    super(error.message);
    this.kind = error.kind;
    this.place = error.place;
  }
}

/** Return an answer; null where a later question of the same kind has replaced this one. */
export async function ask(name, question, kind = name) {
  waiting.get(kind)?.abort();
  const control = new AbortController();
  waiting.set(kind, control);
  try {
    const response = await fetch(`/api/${name}`, {
      method: "POST", signal: control.signal, body: JSON.stringify(question), credentials: "omit",
      // An error in what is typed is an ordinary answer to this page, and none that a browser should log.
      headers: { "content-type": "application/json", prefer: "status=200" },
    });
    const answer = await response.json();
    if (control.signal.aborted) return null;
    if (answer.error) throw new Refused(answer.error);
    return answer;
  } catch (error) {
    if (control.signal.aborted) return null;
    if (error instanceof Refused) throw error;
    throw new Refused({ kind: "network", message: "The server does not answer; is it still running?" });
  }
}

export const told = async (name) => (await fetch(`/api/${name}`, { credentials: "omit" })).json();
