// Package page makes report.html of a written report: one file without script and without a network, that says on one
// screen whether all is right, and why not. It is made for a laptop, a phone, a dark room, A4 paper and a screen reader.
package page
