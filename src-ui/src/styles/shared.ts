/** The style sheets that every page needs, in their order; those of a feature come with it. */
import "./tokens.css";
import "./base.css";
import "../ui/button.css";
import "../ui/field.css";
import "../ui/badge.css";
import "../ui/card.css";
import "../ui/progress.css";
import "./frame.css";
import "./pages.css";
import "./modes.css";
