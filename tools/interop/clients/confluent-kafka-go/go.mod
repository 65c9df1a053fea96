module github.com/heraclitus/heraclitus/tools/interop/clients/confluent-kafka-go

go 1.26.0

require (
	github.com/confluentinc/confluent-kafka-go/v2 v2.11.1
	github.com/heraclitus/heraclitus/tools/interop v0.0.0
)

replace (
	github.com/heraclitus/heraclitus => ../../../..
	github.com/heraclitus/heraclitus/tools/interop => ../..
)
