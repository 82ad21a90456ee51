/** As one word of any POSIX shell, and of fish. */
export const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
