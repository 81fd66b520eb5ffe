package jobs

// skipLocked lets two nodes claim two jobs at the same moment on PostgreSQL; on SQLite the writer is alone.
const skipLocked = ` FOR UPDATE SKIP LOCKED`
