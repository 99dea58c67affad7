/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class DocBlockTest {

    @Test
    void readsFencesMarkersAndIndents() {
        List<DocBlock> blocks = DocBlock.of(
                "x.md",
                List.of(
                        "# X",
                        "<!-- command: a -->",
                        "```bash",
                        "one",
                        "",
                        "two",
                        "```",
                        "  ```yaml",
                        "  k: 1",
                        "  ```"));
        assertThat(blocks)
                .containsExactly(
                        new DocBlock("x.md", 3, "bash", "command: a", "one\n\ntwo"),
                        new DocBlock("x.md", 8, "yaml", "", "k: 1"));
    }
}
