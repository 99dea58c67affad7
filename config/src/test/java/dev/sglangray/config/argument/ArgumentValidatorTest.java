/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.argument;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.config.Config;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.Severity;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ArgumentValidatorTest {
    private static final ArgumentSchema SERVER = ArgumentSchema.parse("""
            {"schema_version": 1, "kind": "server", "package": "sglang", "version": "9.9", "fields": [
              {"name": "model_path", "type": "str", "nullable": false, "required": true, "cli": "--model-path", "help": "the weights"},
              {"name": "tp_size", "type": "int", "nullable": false, "aliases": ["tensor_parallel_size"]},
              {"name": "mem_fraction_static", "type": "float", "nullable": true},
              {"name": "dtype", "type": "str", "nullable": false, "choices": ["auto", "half"]},
              {"name": "page_size", "type": "int", "nullable": true, "choices": [1, 64]},
              {"name": "flags", "type": "list", "nullable": true, "choices": ["a", "b"]},
              {"name": "lora", "type": "any", "types": ["dict", "list"], "nullable": true},
              {"name": "trust", "type": "bool", "nullable": false},
              {"name": "extra", "type": "dict", "nullable": true},
              {"name": "hook", "type": "any", "nullable": true, "settable": false},
              {"name": "api_key", "type": "str", "nullable": true},
              {"name": "hf_token", "type": "int", "nullable": true},
              {"name": "host", "type": "str", "nullable": false},
              {"name": "port", "type": "int", "nullable": false},
              {"name": "dist_init_addr", "type": "str", "nullable": true}]}
            """);
    private static final ArgumentSchema ROUTER = ArgumentSchema.parse("""
            {"schema_version": 1, "kind": "router", "package": "sglang-router", "version": "0.3.2", "fields": [
              {"name": "policy", "type": "str", "nullable": false, "choices": ["random", "cache_aware"], "cli": "--policy"},
              {"name": "port", "type": "int", "nullable": false, "cli": "--port", "filled": true},
              {"name": "internal", "type": "str", "nullable": true}]}
            """);

    @Test
    void acceptsWhatFits() {
        assertThat(check(SERVER, """
                        model_path: /m
                        tp_size: 2
                        mem_fraction_static: 1
                        dtype: half
                        page_size: 64
                        flags: [a, b]
                        lora: [x]
                        trust: false
                        extra: {k: 1}
                        port: null
                        api_key: null
                        """)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "tp_sise: 2 | sglang 9.9 has no argument 'tp_sise' | did you mean 'tp_size'?",
                "tensor_parallel_size: 2 | has no argument | did you mean 'tp_size'?",
                "tp_size: two | must be an integer, not the text 'two' | ''",
                "tp_size: 2.0 | must be an integer, not 2.0 | ''",
                "tp_size: null | must be an integer, not null | ''",
                "mem_fraction_static: x | must be a number or null | ''",
                "dtype: hlaf | cannot be the text 'hlaf' | did you mean 'half'?",
                "dtype: 16 | must be a text, not 16 | quote it",
                "page_size: 2 | cannot be 2 | ''",
                "flags: [a, c] | cannot be a list | ''",
                "lora: x | must be a map or a list or null | ''",
                "trust: 'true' | must be true or false, not the text 'true' | ''",
                "extra: [1] | must be a map or null, not a list | ''",
                "hook: x | cannot be set in a configuration | ''",
                "trust: ${nope} | there is no 'nope' | ''",
                "dtype: ??? | has to be given a value | set it in the file, or with the override dtype=..."
            })
    void refusesWhatDoesNot(String line, String message, String fix) {
        List<ConfigProblem> problems = check(SERVER, line + "\nmodel_path: /m\n");

        assertThat(problems).singleElement().satisfies(problem -> {
            assertThat(problem.severity()).isEqualTo(Severity.ERROR);
            assertThat(problem.position().line()).isEqualTo(1);
            assertThat(problem.message()).contains(message);
            assertThat(problem.fix()).isEqualTo(fix);
        });
    }

    @Test
    void missesWhatIsRequired() {
        assertThat(check(SERVER, "tp_size: 1"))
                .singleElement()
                .satisfies(problem -> assertThat(problem.key()).isEqualTo("model_path"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"host: 1.2.3.4", "port: 1", "dist_init_addr: x:1"})
    void warnsOfWhatIsFilledIn(String line) {
        assertThat(check(SERVER, line + "\nmodel_path: /m\n")).singleElement().satisfies(problem -> {
            assertThat(problem.severity()).isEqualTo(Severity.WARNING);
            assertThat(problem.message()).contains("filled in");
        });
    }

    @Test
    void routersTakeOnlyWhatACommandLineTakes() {
        assertThat(check(ROUTER, "policy: random\nport: 8080\n")).isEmpty();
        assertThat(check(ROUTER, "policy: null\n")).isEmpty();
        assertThat(check(ROUTER, "internal: x\n"))
                .singleElement()
                .satisfies(problem -> assertThat(problem.message()).contains("no command-line form"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "ssl_certfile: /c.pem | serve HTTPS",
                "ssl_keyfile: /k.pem | serve HTTPS",
                "ssl_keyfile_password: x | serve HTTPS",
                "enable_ssl_refresh: true | serve HTTPS",
                "node_rank: 1 | the same part",
                "grpc_mode: true | gRPC",
                "smg_grpc_mode: true | gRPC",
            })
    void refusesWhatCannotWorkInAFleet(String argument, String why) {
        for (String yaml : List.of(argument, "x: &x {" + argument + "}\n<<: *x")) {
            assertThat(check(SERVER, "model_path: /m\n" + yaml + "\n")).as(yaml).anySatisfy(problem -> {
                assertThat(problem.severity()).isEqualTo(Severity.ERROR);
                assertThat(problem.message()).contains("cannot work in a fleet", why);
            });
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"server_cert_path", "server_key_path", "tls_cert_path", "tls_key_path"})
    void refusesARouterThatServesHttps(String name) {
        assertThat(check(ROUTER, name + ": /x.pem\n"))
                .singleElement()
                .satisfies(problem -> assertThat(problem.message()).contains("serve HTTPS"));
    }

    @Test
    void whatLeavesThoseAsTheyAreIsNotRefused() {
        assertThat(check(SERVER, """
                        model_path: /m
                        ssl_certfile: null
                        enable_ssl_refresh: false
                        nnodes: 1
                        node_rank: 0
                        grpc_mode: false
                        """))
                .allSatisfy(problem -> assertThat(problem.message()).doesNotContain("cannot work"));
    }

    @Test
    void doesNotShowSecrets() {
        List<ConfigProblem> problems = check(SERVER, "model_path: /m\napi_key: [s3cr3t]\nhf_token: s3cr3t\n");

        assertThat(problems).hasSize(2);
        assertThat(problems).allSatisfy(problem -> assertThat(problem.render()).doesNotContain("s3cr3t"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{ | not JSON",
                "[] | format 0",
                "{\"schema_version\": 2} | format 2, not 1",
                "{\"schema_version\": 1, \"kind\": \"server\", \"fields\": []} | no fields",
                "{\"schema_version\": 1, \"kind\": \"x\", \"fields\": [{\"name\": \"a\"}]} | unknown Kind 'x'",
                "{\"schema_version\": 1, \"kind\": \"server\", \"fields\": [{\"name\": \"a\", \"type\": \"x\"}]} | unknown Type 'x'",
                "{\"schema_version\": 1, \"kind\": \"server\", \"fields\": [{}]} | without a name"
            })
    void refusesOtherSchemas(String json, String message) {
        assertThatThrownBy(() -> ArgumentSchema.parse(json)).hasMessageContaining(message);
    }

    private static List<ConfigProblem> check(ArgumentSchema schema, String yaml) {
        return ArgumentValidator.validate(Config.parse(yaml), schema);
    }
}
