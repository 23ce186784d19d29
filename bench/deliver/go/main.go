// The AWS SDK for Go v2 with a fixed number of goroutines:
//
//	main URL CA_FILE POSTS IN_FLIGHT IDS_FILE PAYLOAD_FILE TOKEN
//
// It exits 0 if every post was answered with 200.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
)

func main() {
	url, caFile, token := os.Args[1], os.Args[2], os.Args[7]
	posts, inFlight := number(os.Args[3]), number(os.Args[4])
	ids := strings.Fields(string(read(os.Args[5])))
	payload := read(os.Args[6])

	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(read(caFile))
	client := apigatewaymanagementapi.New(apigatewaymanagementapi.Options{
		Region:           "eu-west-1",
		Credentials:      credentials.NewStaticCredentialsProvider("ASIABENCHMARKEXAMPLE", "bench", token),
		EndpointResolver: apigatewaymanagementapi.EndpointResolverFromURL(url),
		HTTPClient: &http.Client{Transport: &http.Transport{
			MaxIdleConnsPerHost: inFlight,
			MaxConnsPerHost:     inFlight,
			TLSClientConfig:     &tls.Config{RootCAs: roots},
		}},
	})

	var next int64 = -1
	var workers sync.WaitGroup
	for worker := 0; worker < inFlight; worker++ {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for {
				turn := atomic.AddInt64(&next, 1)
				if turn >= int64(posts) {
					return
				}
				_, err := client.PostToConnection(context.Background(), &apigatewaymanagementapi.PostToConnectionInput{
					ConnectionId: aws.String(ids[turn%int64(len(ids))]),
					Data:         payload,
				})
				if err != nil {
					log.Fatal(err)
				}
			}
		}()
	}
	workers.Wait()
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func read(path string) []byte {
	data, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	return data
}
