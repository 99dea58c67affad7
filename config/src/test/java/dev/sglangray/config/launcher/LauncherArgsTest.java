/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.launcher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.config.Config;
import dev.sglangray.config.error.ConfigException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class LauncherArgsTest {
    @Test
    void defaultsAreTheOriginals() {
        LauncherArgs args = read("""
                tensor_parallel_size: 2
                pipeline_parallel_size: 3
                server: {model_path: /m}
                router: {}
                """);

        assertThat(args.launchServer()).isTrue();
        assertThat(args.launchRouter()).isTrue();
        assertThat(args.serverType()).isEqualTo(ServerType.SRT);
        assertThat(args.groupName()).isEqualTo("SGLangServerGroup");
        assertThat(args.routerGroupName()).isEqualTo("SGLangRouterGroup");
        assertThat(args.acceleratorsPerEngine()).hasValue(6);
        assertThat(args.model()).isEmpty();
        assertThat(args.routerType()).isNull();
    }

    @ParameterizedTest
    @EnumSource(RouterType.class)
    void theRouterMayBeChosen(RouterType type) {
        String sizes = "tensor_parallel_size: 1, pipeline_parallel_size: 1, server: {model_path: /m}, router: {}";
        assertThat(read("{router_type: " + type.configName() + ", " + sizes + "}")
                        .routerType())
                .isEqualTo(type);
        assertThat(read("{router_type: null, " + sizes + "}").routerType()).isNull();
        assertThat(type.configName()).isIn("sglang-router", "smg");
    }

    @Test
    void theEngineMaySayHowManyAcceleratorsItHas() {
        LauncherArgs args = read("{server_type: embodied, server: {model_path: /m, num_gpus: 4}, router: {}}");

        assertThat(args.serverType()).isEqualTo(ServerType.EMBODIED);
        assertThat(args.acceleratorsPerEngine()).hasValue(4);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "false | False",
                "'False' | False",
                "'off' | False",
                "true | True",
                "'yes' | True",
                "null | False",
                "0 | False",
                "1 | True"
            })
    void switchesMeanWhatTheySay(String written, String meant) {
        LauncherArgs args =
                read("{launch_server: %s, tensor_parallel_size: 1, pipeline_parallel_size: 1,".formatted(written)
                        + " server: {model_path: /m}, router: {}}");

        assertThat(args.launchServer()).isEqualTo(Boolean.parseBoolean(meant));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "2 | 2 | 2 | 0",
                "'2' | 0 | 2 | 1",
                "2.9 | null | 2 | 1",
                "true | '' | 1 | 1",
                "4 | '2' | 2 | 1",
                "4 | -1 | 4 | 1",
                "4 | '0' | 4 | 1",
                "' 1_0 ' | 0 | 10 | 1"
            },
            quoteCharacter = '`')
    void sizesAreReadAsPythonsIntReadsThemAndOddOnesAreTold(String tensor, String own, int width, int warnings) {
        Config block = Config.parse("{tensor_parallel_size: %s, pipeline_parallel_size: 1,".formatted(tensor.strip())
                + " server: {model_path: /m, num_gpus: %s}, router: {}}".formatted(own));

        assertThat(LauncherArgs.from(block).acceleratorsPerEngine()).hasValue(width);
        assertThat(LauncherArgs.check(block).warnings()).hasSize(warnings);
    }

    @Test
    void whatIsSwitchedOffMayBeAbsentOrBroken() {
        LauncherArgs router = read("{launch_server: false, router: {policy: random}}");
        LauncherArgs nothing = read("{launch_server: false, launch_router: false, server: '${nope}'}");

        assertThat(router.acceleratorsPerEngine()).isEmpty();
        assertThat(router.router().values()).containsEntry("policy", "random");
        assertThat(nothing.server().values()).isEmpty();
        assertThat(nothing.server().config()).isPresent();
    }

    @ParameterizedTest
    @ValueSource(strings = {"engines.example.org", "10.0.0.7", "fd00::7", "'[fd00::7]'", "localhost", "node_7"})
    void enginesMayBeReachedAtAnotherHost(String host) {
        String sizes = "tensor_parallel_size: 1, pipeline_parallel_size: 1, server: {model_path: /m}, router: {}";
        assertThat(read("{advertise_host: " + host + ", " + sizes + "}").advertiseHost())
                .isEqualTo(host.replace("'", ""));
        assertThat(read("{advertise_host: null, " + sizes + "}").advertiseHost())
                .isNull();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{launch_server: maybe, server: {model_path: /m}, router: {}} | true or false, not the text 'maybe'",
                "{server_type: null, server: {model_path: /m}, router: {}} | server_type: is required, but null",
                "{router_type: sgm, server: {model_path: /m}, router: {}} | router_type: unknown router type 'sgm'",
                "{router_type: nginx, server: {model_path: /m}, router: {}} | sglang-router, smg",
                "{router_typ: smg, server: {model_path: /m}, router: {}} | did you mean 'router_type'?",
                "{server_type: strt, server: {model_path: /m}, router: {}} | did you mean 'srt'?",
                "{server: {model_path: /m}, router: {}} | tensor_parallel_size: is required",
                "{tensor_parallel_size: 0, server: {model_path: /m}, router: {}} | at least 1, not 0",
                "{tensor_parallel_size: two, server: {model_path: /m}, router: {}} | an integer of 32 bits, not the text 'two'",
                "{tensor_parallel_size: false, server: {model_path: /m}, router: {}} | at least 1, not 0",
                "{bind_host: nod, server: {model_path: /m}, router: {}} | did you mean 'node'?",
                "{advertise_host: 'http://a', server: {model_path: /m}, router: {}} | advertise_host: must be a host's name or address without scheme",
                "{advertise_host: 'a:80', server: {model_path: /m}, router: {}} | without scheme and port (the port is the engine's own), not 'a:80'",
                "{advertise_host: '0.0.0.0', server: {model_path: /m}, router: {}} | means every address and leads to none",
                "{advertise_host: '[fd00::1', server: {model_path: /m}, router: {}} | not '[fd00::1'",
                "{advertise_host: '', server: {model_path: /m}, router: {}} | advertise_host: must be",
                "{advertise_hosts: a, server: {model_path: /m}, router: {}} | did you mean 'advertise_host'?",
                "{router: {}} | server: is required",
                "{launch_server: false} | set launch_router to false",
                "{server: [], router: {}} | server: must be a map",
                "{server: {}, router: {}} | server.model_path: is required",
                "{server: null, router: {}} | server.model_path: is required",
                "{server: '${nope}', router: {}} | server: cannot resolve '${nope}'",
                "{server: {model_path: null}, router: {}} | server.model_path: is required",
                "{model_path: x, server: {}, router: {}} | add 'model_path: ${..model_path}' to server",
                "{server: {model_path: /m, num_gpus: two}, router: {}} | server.num_gpus: must be an integer",
                "{group_name: 7, server: {model_path: /m}, router: {}} | must be a text, not 7",
                "{router_group_name: true, server: {model_path: /m}, router: {}} | must be a text, not True",
                "{group_name: 'a:b', server: {model_path: /m}, router: {}} | a name without ':'",
                "{group_name: ' ', server: {model_path: /m}, router: {}} | must be a name, not an empty text",
                "{group_name: \"a\\nb\", server: {model_path: /m}, router: {}} | without line ends",
                "{router_group_name: \"\\e[31m\", server: {model_path: /m}, router: {}} | control characters",
                "{group_name: g, router_group_name: g, server: {model_path: /m}, router: {}} | cannot share the group 'g'",
                "{server: {model_path: /m, x: '${nope}'}, router: {}} | server.x: cannot resolve '${nope}'",
                "{server: {model_path: '???'}, router: {}} | server.model_path: has to be given a value"
            })
    void refuses(String yaml, String message) {
        assertThatThrownBy(() -> read(yaml)).isInstanceOf(ConfigException.class).hasMessageContaining(message);
    }

    @Test
    void refusesNamesThatAreTooLongForFiles() {
        assertThatThrownBy(() -> read("{group_name: " + "x".repeat(300) + ", server: {model_path: /m}, router: {}}"))
                .hasMessageContaining("at most 128 bytes, but has 300");
    }

    @Test
    void reportsAllProblemsAtOnce() {
        assertThatThrownBy(() -> read("{server_type: x, group_name: '', server: {a: '${b}', c: '${d}'}, router: {}}"))
                .isInstanceOfSatisfying(
                        ConfigException.class, e -> assertThat(e.problems()).hasSize(7));
    }

    @Test
    void doesNotShowArguments() {
        LauncherArgs args = read("{launch_server: false, router: {api_key: s3cr3t}}");

        assertThat(args.toString()).doesNotContain("s3cr3t").contains("api_key");
    }

    private static LauncherArgs read(String yaml) {
        return LauncherArgs.from(Config.parse(yaml));
    }

    @Test
    void aSlipInAKeyIsAnErrorAndOtherKeysAreFree() {
        Config block = Config.parse("""
                launch_server: false
                launch_routr: false
                share: 0.5
                router: {policy: random}
                """);
        assertThatThrownBy(() -> LauncherArgs.from(block))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("unknown key 'launch_routr'")
                .hasMessageContaining("launch_router");
    }
}
