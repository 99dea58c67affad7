/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.SourcePosition;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class ConfigTest {
    private static final Config CONFIG = Config.parse("""
            name: fleet
            count: 3
            big: 123456789012
            ratio: 0.5
            flag: true
            text: "False"
            nothing: null
            later: ???
            list: [1, {a: x}]
            map: {b: 2, link: "${name}", 7: seven}
            broken: ${nowhere}
            decoded: '${oc.decode:"[1, {k: v}]"}'
            """, Map.of());

    @Test
    void selectsByPath() {
        assertThat(CONFIG.require("list[1].a").asString()).isEqualTo("x");
        assertThat(CONFIG.require("list.0").asInt()).isEqualTo(1);
        assertThat(CONFIG.require("map").require("link").asString()).isEqualTo("fleet");
        assertThat(CONFIG.require("map.7").asString()).isEqualTo("seven");
        assertThat(CONFIG.select("map.nope")).isEmpty();
        assertThat(CONFIG.select("name.deeper")).isEmpty();
        assertThat(CONFIG.has("nothing")).isTrue();
        assertThat(CONFIG.require("nothing").isNull()).isTrue();
    }

    @Test
    void readsTypes() {
        assertThat(CONFIG.require("count").asInt()).isEqualTo(3);
        assertThat(CONFIG.require("count").asDouble()).isEqualTo(3.0);
        assertThat(CONFIG.require("count").asString()).isEqualTo("3");
        assertThat(CONFIG.require("big").asLong()).isEqualTo(123456789012L);
        assertThat(CONFIG.require("ratio").asDouble()).isEqualTo(0.5);
        assertThat(CONFIG.require("flag").asBoolean()).isTrue();
        assertThat(CONFIG.require("decoded").isList()).isTrue();
        assertThat(CONFIG.require("decoded[1].k").asString()).isEqualTo("v");
    }

    @Test
    void refusesOtherTypes() {
        assertThatThrownBy(() -> CONFIG.require("text").asBoolean())
                .isInstanceOf(ConfigException.class)
                .hasMessage("<text>:6:7: error: text: must be true or false, not the text 'False'");
        assertThatThrownBy(() -> CONFIG.require("big").asInt()).hasMessageContaining("32 bits");
        assertThatThrownBy(() -> CONFIG.require("name").asInt()).hasMessageContaining("the text 'fleet'");
        assertThatThrownBy(() -> CONFIG.require("nothing").asString()).hasMessageContaining("not null");
        assertThatThrownBy(() -> CONFIG.require("map").asString()).hasMessageContaining("not a map");
    }

    @Test
    void missingAndBrokenValuesMatterWhenRead() {
        assertThat(CONFIG.require("later").isMissing()).isTrue();
        assertThatThrownBy(() -> CONFIG.require("later").asString()).hasMessageContaining("(it is ???)");
        assertThatThrownBy(() -> CONFIG.require("broken").asString()).hasMessageContaining("there is no 'nowhere'");
        assertThatThrownBy(CONFIG::toJava).isInstanceOf(ConfigException.class);
    }

    @Test
    void namesWhatIsRequired() {
        assertThatThrownBy(() -> CONFIG.require("nam"))
                .hasMessageContaining("nam: is required, but not given")
                .hasMessageContaining("did you mean 'name'?");
    }

    @Test
    void knowsKeysAndPlaces() {
        assertThat(CONFIG.require("map").keys()).containsExactly("b", "link", "7");
        assertThat(CONFIG.require("list").children()).hasSize(2);
        assertThat(CONFIG.require("name").children()).isEmpty();
        assertThat(CONFIG.require("list[1].a").path()).isEqualTo("list[1].a");
        assertThat(CONFIG.require("list[1].a").position()).isEqualTo(new SourcePosition("<text>", 9, 15));
    }

    @Test
    void convertsToJava() {
        Map<String, Object> expected = new LinkedHashMap<>();
        expected.put("b", 2);
        expected.put("link", "fleet");
        expected.put("7", "seven");

        assertThat(CONFIG.require("map").toJava()).isEqualTo(expected);
        assertThat(CONFIG.require("list").toJava()).isEqualTo(List.of(1, Map.of("a", "x")));
        assertThat(CONFIG.require("decoded").toJava()).isEqualTo(List.of(1, Map.of("k", "v")));
    }

    @Test
    void theResultCannotBeChanged() {
        Map<?, ?> map = (Map<?, ?>) Objects.requireNonNull(CONFIG.require("map").toJava());

        assertThatThrownBy(map::clear).isInstanceOf(UnsupportedOperationException.class);
    }

    @Test
    void isMadeOfJavaValues() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("list", Arrays.asList(1, null, 2.5f, 4L, "x"));
        map.put("link", "${list[0]}");
        map.put("big", BigInteger.TWO.pow(80));

        Config config = Config.of(map);

        assertThat(config.require("list").toJava()).isEqualTo(Arrays.asList(1, null, 2.5, 4, "x"));
        assertThat(config.require("link").asInt()).isEqualTo(1);
        assertThat(config.require("big").toJava()).isEqualTo(BigInteger.TWO.pow(80));
        assertThatThrownBy(() -> Config.of(Map.of("a", new StringBuilder()))).hasMessageContaining("StringBuilder");
        assertThatThrownBy(() -> Config.of(Map.of("a", "${"))).hasMessageContaining("not a valid interpolation");
    }

    @Test
    void endlessContainersAreRefused() {
        Config config = Config.parse("a: {x: \"${oc.create:${b}}\"}\nb: {y: \"${oc.create:${a}}\"}\n", Map.of());

        assertThatThrownBy(() -> config.require("a").toJava()).isInstanceOf(ConfigException.class);
    }
}
