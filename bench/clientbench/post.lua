-- SPDX-License-Identifier: Apache-2.0
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"return_logprob":false,"text":"The capital of France is","sampling_params":{"temperature":0.0,"max_new_tokens":5}}'
