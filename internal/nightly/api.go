package nightly

import (
	"context"

	"tallyman/formats"
	"tallyman/importer"
	"tallyman/internal/moment"
)

// momentAPI lets the importer speak to Moment.
type momentAPI struct{ client *moment.Client }

var _ importer.API = momentAPI{}

func (a momentAPI) Create(ctx context.Context, key string, body []byte) importer.Answer {
	return answer(a.client.Create(ctx, key, body))
}

func (a momentAPI) Retrieve(ctx context.Context, customer string) importer.Answer {
	return answer(a.client.Retrieve(ctx, customer))
}

func (a momentAPI) Update(ctx context.Context, customer string, body []byte) importer.Answer {
	return answer(a.client.Update(ctx, customer, body))
}

// classes are the client's classes in the importer's words.
var classes = map[moment.Class]importer.Class{
	moment.Silence: importer.Silence, moment.NotSent: importer.NotSent, moment.OK: importer.OK, moment.NotFound: importer.NotFound,
	moment.Conflict: importer.Conflict, moment.InFlight: importer.InFlight, moment.KeyReused: importer.KeyReused,
	moment.Invalid: importer.Invalid, moment.Throttled: importer.Throttled, moment.ServerError: importer.ServerError,
	moment.Unauthorized: importer.Unauthorized, moment.Misconfigured: importer.Misconfigured,
}

func answer(a moment.Answer) importer.Answer {
	return importer.Answer{
		Class: classes[a.Class], Status: a.Status, Replayed: a.Replayed, Customer: remote(a.Customer), Problem: a.Problem.String(),
		Err: a.Err, GiveUp: a.GiveUp,
	}
}

func remote(c moment.Customer) importer.Remote {
	return importer.Remote{ID: c.ID, Payable: c.Payable, Customer: formats.Customer{
		ExternalReference: c.ExternalReference, Name: c.Name, Email: c.Email, Phone: c.Phone, Currency: c.Currency,
		Balance: formats.Balance{Minor: c.Balance, Set: c.HasBalance}, Metadata: c.Metadata,
	}}
}
