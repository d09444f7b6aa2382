// Package kubetest reads what package script writes with the code of those who
// run it: Kubernetes' API server, and the client of AWS Batch. It is a module of
// its own, because those are large, and reads script's golden files rather than
// importing it, so that what ndpush needs does not matter here.
//
//	cd internal/script/kubetest && go test ./...
package kubetest
