// Package journal keeps the fate of every cuboid of an ingest, so that a later
// run can go on where an earlier one was stopped, whatever stopped it.
//
// # The directory
//
// A channel has one directory, ingest_journal_<collection>_<experiment>_<channel>,
// shared by all processes on all machines that ingest it. Every process writes a
// file of its own in it and only reads the others, so nobody waits for a lock.
// A file's name begins with the time at which it was begun, in UTC, so that the
// order of the names is the order of the runs; the host, the process id and
// eight random letters follow:
//
//	20261122T183122.104938271Z_n1_77_k3vqzt5a.jsonl
//
// # The format, version 1
//
// A file is a sequence of JSON objects, one to a line. The first is the header:
//
//	{"journal":1,"ndpush":"v0.1","started":"2026-11-22T18:31:22Z","host":"n1","pid":77,
//	 "job":{"channel":"lab/fly/em"},"flags":{"base-path":"em"},"data":"0:1100/0:1060/0:20",
//	 "whole":"0:1100/0:1060/0:64","origin":[0,0,0],"type":"uint8"}
//
// (on one line). job is what makes two runs parts of one ingest, flags is what
// else was asked for. data is the box that this process carries and whole the
// box of all of them, both in BOSS coordinates; origin is the place, in BOSS
// coordinates, of the first pixel of slice 0. "replace":true says that this process
// erases each cuboid before it posts it. "fresh":true says that earlier files
// no longer count, as far as they are about data, or altogether if they are of
// another job. "moved":["base-path"] says that these keys of job may differ
// from what earlier files say.
//
// Each line after it is one of these, known by its first key:
//
//	{"begin":"0:1024/0:1024/0:16"}
//	{"posted":"0:1024/0:1024/0:16","sum":"9f0c27d1a5b3e846","took":1.27,"at":"2026-11-22T18:31:23Z"}
//	{"posted":"0:1024/0:1024/0:16","sum":"9f0c27d1a5b3e846","kept":true,"at":"2026-11-22T18:31:23Z"}
//	{"empty":"1024:1100/0:1024/0:16","at":"2026-11-22T18:31:23Z"}
//	{"failed":"0:1024/1024:1060/0:16","why":"PUT …: 500","at":"2026-11-22T18:31:24Z"}
//	{"missing":7,"rows":"600:1024","why":"slice 7: unexpected EOF"}
//	{"end":"done","at":"2026-11-22T18:31:25Z"}
//
// begin comes before anything of a cuboid is sent: what was sent is in the
// journal, though perhaps not what became of it. posted says that BOSS took it;
// sum is a sum of its voxels in 16 hexadecimal digits, took is in seconds. With
// kept it was there already, as the journal said, and was not sent again. empty
// was all zero and not sent. missing says that slice 7 of the source has not
// these rows of pixels, or without rows none at all: what the file says from
// there on of cuboids with voxels of these rows was something else put in their
// place. end is the last line of a process that was not killed: "done",
// "incomplete", "interrupted", or why it gave up.
//
// Boxes are x/y/z, half-open, in BOSS coordinates, and lie in one cuboid of the
// grid of package plan; slices and rows are source coordinates. A reader ignores
// keys that it does not know, but not lines of a kind that it does not know:
// such a line could take back what another one says, so it is an error. What
// changes the meaning of these lines gets another version.
//
//	cat ingest_journal_*/*.jsonl | jq -r 'select(.failed) | .failed + " " + .why'
//	jq -s 'map(select(.posted) | .took // 0) | add / length' ingest_journal_*/*n1*.jsonl
//
// # What counts
//
// Files are replayed in the order of their names, and the last word about a voxel
// wins, whatever the shapes of the boxes: one that was posted and then begun again
// is not known to be there. A file in which nothing was begun counts for
// nothing. Nor does the last line of a file if it was cut off, which a full disk
// or kill -9 leaves. After a power failure a file can have NULs where data never
// reached the disk; what follows them may miss something that was said before, so
// a cuboid that is said there to be done is taken for begun. All else that cannot be
// read is an error with the file and the line.
//
// # Who is at work
//
// Two processes that carry the same voxels at one time would not harm BOSS, but
// neither could say what is there. So a process holds a lock on its file and
// touches it every ten seconds, and [Open] looks for others after its own file is
// there for them to see: of two that start together at least one gives way. A
// process that stands still for minutes, on a machine that sleeps or with a file
// server that hangs, is taken for dead by other machines.
//
// A database in one file would need locks that work over NFS; one file per
// process needs none to be right, and people can read it.
package journal
