// Package moment is a client of Moment's Billing API for customers: one typed call per exchange, answers sorted into
// classes that say what a caller may conclude, and one pace for everybody.
//
// The client never repeats a request by itself, and sees to it that net/http does not either: what may be sent again, and
// under which key, only the caller's records can tell.
package moment
