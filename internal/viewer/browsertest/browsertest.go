// Package browsertest looks at package viewer's pages with a real browser.
//
// It is a module of its own, so that what drives the browser is no dependency of
// ndpush. Without Chromium its tests are skipped, unless NDPUSH_PEERS=1 says that
// it must be there. NDPUSH_SCREENSHOTS names a directory for pictures of what
// they saw.
package browsertest
