export const PACK_SOURCES: readonly string[];
export const RUNTIME_SOURCES: readonly string[];
