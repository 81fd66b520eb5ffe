// Between the fields of a GS1 symbol scanners send a control character (FNC1, as "group separator"). No address carries it, and
// the server refuses control characters from anybody; its picture stands for it, on screens and on the way.

const separator = '\x1d'

/** What an input field shows in its place. */
export const separatorShown = '\u241d'

/** A scanned code as it may be sent. */
export const sendable = (code: string): string => code.replaceAll(separator, separatorShown)

/** Scanners that type press Ctrl and ] for the separator, which types nothing by itself. */
export const isSeparatorKey = (e: { ctrlKey: boolean; altKey: boolean; metaKey: boolean; key: string }): boolean =>
  (e.key === separator) || (e.ctrlKey && !e.altKey && !e.metaKey && e.key === ']')
