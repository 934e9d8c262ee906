// Package journal keeps the webhook events of Moment on disk: an append-only
// file a day, a line a delivery, each line bound to the one before it by a hash
// (design.md section 7).
//
// A [Writer] answers an append only once the line is synced. [Read] hands the
// lines out again and checks the chain on the way, [Verify] also re-checks the
// signatures, and [Repair] moves a torn tail aside.
//
// What is durable when:
//
//   - a new segment is in its synced directory before its first line is acknowledged;
//   - a line is acknowledged after the segment is synced;
//   - HEAD is replaced after that, so it may lag behind the lines but never leads them.
package journal
