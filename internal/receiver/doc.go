// Package receiver is the endpoint that Moment sends webhooks to. It verifies a
// delivery, hands it to the journal and answers 204 once the journal has it on
// disk (design.md section 7).
package receiver
