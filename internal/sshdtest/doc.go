// Package sshdtest starts OpenSSH's real sshd for tests: on a free loopback
// port, with fresh host and user keys, serving SFTP only, as the user who runs
// the tests, root or not. It is imported by _test files only.
//
// Without /usr/sbin/sshd a test is skipped, loudly; where the environment
// variable CI is set it fails instead, because a skipped test proves nothing.
package sshdtest
