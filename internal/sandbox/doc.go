// Package sandbox is a stand-in for Moment's Billing API and for a biller's
// SFTP server, on loopback addresses of one machine. People rehearse a real
// configuration against it, the demonstration runs on it, and tests use it as
// the other side of a real socket.
//
// It is not Moment and moves no money. It models what Moment's documentation
// states, takes the strict reading where the documentation leaves one open, and
// makes the open questions that change a client's duty switchable (see
// [Options]): whether uniqueness of references holds, what an idempotency key
// stores, whether reads lag behind writes, whether a payment lowers a balance.
// It shares no code with the client, so that an error in the one does not hide
// in the other.
//
// A [Sandbox] keeps everything below one directory:
//
//	api.key, api.live.key      bearer keys, one for each mode
//	webhook.secret             the secret that signs events
//	id_ed25519, id_ed25519.pub the SFTP client's key
//	ssh_host_ed25519_key       the SFTP server's key
//	sftp.password              the SFTP user's password
//	sftp/                      what the SFTP server shows
//	moment.json                the books, written by [Sandbox.Close]
//	sandbox.lock               held while a sandbox uses the directory
//	tallyman.yaml              a configuration, see [Sandbox.WriteConfig]
package sandbox
