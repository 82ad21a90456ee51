/** Questions asked over a channel that answers with messages: each with a number, and a bound to its wait. */
export function createPendingAnswers<Answer>(limitMs: number) {
  const waiting = new Map<number, (answer: Answer | null) => void>();
  let asked = 0;
  return {
    /** Resolves to null when there is no answer in time. */
    ask(send: (request: number) => void): Promise<Answer | null> {
      asked += 1;
      const request = asked;
      return new Promise((resolve) => {
        const timer = setTimeout(() => waiting.get(request)?.(null), limitMs);
        waiting.set(request, (answer) => {
          clearTimeout(timer);
          waiting.delete(request);
          resolve(answer);
        });
        send(request);
      });
    },
    answer(request: number, answer: Answer): void {
      waiting.get(request)?.(answer);
    },
    /** Nobody will answer any more. */
    giveUp(): void {
      for (const resolve of waiting.values()) resolve(null);
    },
  };
}
