/** Every secret that a suite made or was given, to be looked for where none may be. */
export interface SecretSentinels {
  /** Remembers a secret, and the forms in which it could hide: percent-encoded, base64, as JSON text. */
  add(label: string, secret: string): string;
  /** Labels of the secrets that stand somewhere in `text`, in any form. */
  foundIn(text: string): readonly string[];
}

export function createSecretSentinels(): SecretSentinels {
  const labels = new Map<string, string>();
  return {
    add(label, secret) {
      const base64 = Buffer.from(secret).toString('base64').replace(/=+$/, '');
      const forms = [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), base64];
      for (const form of forms) labels.set(form, label);
      return secret;
    },
    foundIn(text) {
      const decoded = text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
        String.fromCharCode(Number.parseInt(hex, 16)),
      );
      const found = [...labels]
        .filter(([form]) => text.includes(form) || decoded.includes(form))
        .map(([, label]) => label);
      return [...new Set(found)];
    },
  };
}
