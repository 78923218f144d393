//! Signs of an emergency in the words of a question.

use std::sync::LazyLock;

use regex::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use super::red_flag::RedFlagKind;
use super::spelling::without_breaks;

/// Patterns of emergencies, whatever else a question asks. False positives are
/// preferred to false negatives, since advice to seek help does no harm. For this
/// reason "no chest pain" matches too: a question that denies one sign may
/// describe another in words that no pattern covers.
///
/// Signs of a heart attack and of a stroke are those that the American Heart
/// Association lists (<https://www.heart.org/en/about-us/heart-attack-and-stroke-symptoms>),
/// those of suicide risk those of the National Institute of Mental Health
/// (<https://www.nimh.nih.gov/health/publications/warning-signs-of-suicide>),
/// those of low blood sugar those of the American Diabetes Association
/// (<https://diabetes.org/living-with-diabetes/treatment-care/hypoglycemia>),
/// those of the other kinds those of `MedlinePlus` "Recognizing medical emergencies"
/// (<https://medlineplus.gov/ency/article/001927.htm>).
///
/// Each line is a group of phrases, in English, then German, Spanish and
/// French, normalized by [`super::spelling::normalize_spelling`]. They match at
/// word boundaries; ` ~ ` is a gap of up to three words, ` ~~ ` of up to six,
/// and `{…}` one of [`GROUPS`]. If a question has several signs, the first kind
/// in this table is returned.
const SIGNS: &[(RedFlagKind, &[&str])] = &[
    (
        RedFlagKind::SuicidalThoughts,
        &[
            r"(?:sui[cs]i+d|suizid|selbstmord|selbstto)[a-z]*|sui cid[a-z]*|su cid[a-z]*|s icid[a-z]*|unaliv[a-z]+",
            r"kill(?:ing)? ?my ?self|k ll my ?self|kms (?:tonight|today|now|soon|tomorrow)|(?:want|wanna|going|gonna|might|will|ill|rather|should|gotta) (?:to |just )*kms",
            r"end(?:ing)? (?:my (?:own )?life|it all|everything)|(?:think|thinking|thought|thoughts|plan|planning|want|wanna|going|gonna|ready|about|consider|considering) (?:to |of |about |just )*end(?:ing)? (?:it|things)",
            r"(?:want|wanna|wanting|wanted|wish|ready|going|gonna|like|rather|prefer|hope|deserve|plan|planning|decided|need) (?:to |i |could |would |just |really |i will )*(?:die|dead|be dead|not wake up|never wake up|not be here|not exist|disappear|be gone)|(?:want|wanna|wish) (?:it|everything|this|life|my life|the pain) ~ (?:end|be over)|(?:feel|feeling|felt) like dying|(?:think|thinking|thoughts?) (?:about|of) (?:dying|death|my death)|i ?want ?to ?die|should (?:just )?die",
            r"wish i (?:was|were|wasnt|werent|wouldnt|would not|would never|had never been|didnt|did not) (?:dead|not alive|never born|born|alive|wake up|exist|here)",
            r"(?:dont|do not|don t|didnt|no longer|never|not) (?:really |even )*(?:want|wanna|wish) (?:to )?(?:live|be (?:alive|here|around)|exist|(?:wake up|go on|carry on|keep going) (?:any ?more|again|ever|living|like this)|(?:wake up|go on|carry on|keep going)$|keep living|continue living)",
            r"(?:no|any|a) (?:reason|point|will|desire) (?:to|in|for) (?:live|living|life|going on|be alive|being alive)|life ~ (?:not|isnt|no longer|never|hardly) worth|(?:not|isnt|no longer) worth living|life ~ (?:pointless|meaningless|no meaning)",
            r"(?:cant|cannot|can not) (?:go on|take it|take life|live) (?:like this|any ?more|any longer|this way)|(?:cant|cannot) do this any ?more|(?:tired|sick) of (?:living|life|being alive)|done with (?:life|living)|hate (?:my life|being alive|living)|nothing (?:left )?to live for",
            r"better off (?:dead|without me|if i)|(?:when|if|once) (?:im|i am|i was|i were) (?:gone|dead|not here|no longer here)|(?:no ?body|no one|noone) would (?:even )?(?:miss me|care if i|notice if i)|world ~ better ~ without me",
            r"(?:hang|hanging|shoot|shooting|drown|drowning|poison|poisoning) my ?self|(?:jump|jumping|throw myself|throwing myself) (?:off|from|in front of|out of|under) ~ (?:bridge|roof|building|train|window|balcony|cliff|car|bus|truck)|(?:cut|cutting|slit|slitting) ~ wrists?|suicide note|goodbye (?:note|letter)s?|take my (?:own )?life|taking my (?:own )?life",
            r"self ?(?:harm|injur)[a-z]*|harm(?:ing|ed)? ?my ?self|cut(?:ting)? ?my ?self|hurt my ?self (?:on purpose|again|because|intentionally|deliberately)|(?:want|wanna|wanted|going|gonna|urges?|think|thinking|thoughts?|keep|kept|feel|feeling|like|need|might|will|ill|could|scared|afraid|about|started|been) (?:i |to |of |about |will |might |may |ill |that |like |just |going )*(?:hurt|burn)(?:ing)? my ?self",
            r"um(?:zu)?bring(?:en|e)|bring[a-z]* mich ~ um|(?:will|wollte|moe?chte|wue?rde) ~ (?:sterben|tot sein)|(?:will|mag|moe?chte|kann) nicht mehr$|(?:nicht|nie) mehr (?:leben|aufwachen|da sein|hier sein)|(?:keine lust|keinen bock|kein bock|keinen sinn|keine kraft) ~ leben|lebensmue?de|mir ~ (?:das|mein) leben nehmen|(?:das|mein) leben ~ (?:sinnlos|beenden|kein(?:en)? sinn)|nicht mehr lebenswert|mich ~ (?:toe?ten|erhae?ngen|erschiessen|ritzen)|ritze mich|vor (?:den|einen) zug|mir (?:was|etwas) an(?:zu)?tun|lieber tot|sterbe gern",
            r"(?:quiero|queria|quisiera|deseo|ganas de|prefiero|preferiria|gustaria|voy a|pienso en|pensando en|pensado en) (?:morir|morirme|suicidarme|matarme|estar muert[oa]|desaparecer|acabar con todo)|matarme|quitarme la vida|me (?:quiero|voy a) (?:matar|morir|suicidar)|no quiero (?:vivir|seguir viviendo|seguir viv[oa]|despertar|existir)|(?:acabar|terminar) con (?:mi vida|todo)|hacerme dano|no vale la pena vivir|vida no (?:vale|tiene sentido)|mejor (?:muert[oa]|sin mi)|(?:sin|no tengo|perdi las) ganas de vivir",
            r"(?:veux|voudrais|envie de|envie den|prefere|prefererais|vais|pense a|aimerais|idee de|songe a) (?:plus )?(?:mourir|me tuer|en finir|disparaitre|etre morte?|me faire du mal|me pendre)|me suicider|en finir avec (?:la vie|ma vie|tout)|fin a (?:mes jours|ma vie)|plus (?:envie de |de )?vivre|veux plus (?:etre la|exister)|vie ne vaut|mieux morte?|me faire du mal|scarifi[a-z]+|idees noires",
        ],
    ),
    (
        RedFlagKind::ChestPain,
        &[
            r"chest ?(?:pains?|painful)|{chest} ~ (?:pains?|painful|hurts?|hurting|aches?|aching|ached|pressure|tight|tightness|tightening|tightens|discomfort|crushing|crushed|squeez[a-z]+|heavy|heaviness|burns|burning|stabbing|constrict[a-z]+|agony)|{chest} feels? ~~ (?:squeez[a-z]+|crush[a-z]*|stabb[a-z]+|burst[a-z]*|explod[a-z]+|vice|vise)",
            r"(?:pains?|painful|pressure|tight|tightness|tightening|aches?|aching|discomfort|squeez[a-z]+|crush[a-z]+|heaviness|burning|stabbing|hurts?|hurting|constriction|elephant) ~~ {chest}|(?:weight|heavy|elephant|brick|sitting) ~ (?:on|in|across) (?:my |the |his |her )?{chest}|like (?:a |an )?(?:tight )?(?:band|belt|rope|vice|vise) ~ (?:around|round) (?:my |the |his |her )?{chest}",
            r"heart (?:is |in |really |so |has |been |keeps |just |suddenly )*(?:hurts?|pain|hurting|pains?|aches|aching|stopped|stopping|squeezing|tightness|burning)|(?:pains?|pressure|hurts) (?:in|around|near|on) (?:my |the |his |her )?heart|heart ?attacks?|cardiac arrest|angina",
            r"(?:pains?|ache|aching|hurts?|hurting|tingling) ~~ left (?:arm|shoulder)|left (?:arm|shoulder) ~ (?:pains?|painful|hurts?|hurting|aches?|aching|tingl[a-z]+)|(?:pains?|ache|aching) ~ (?:in|down|to|into|up|through) ~ jaw|(?:arm|jaw) ~ pains? ~ sweat[a-z]*|jaw ~ (?:and|or) ~ arm ~ (?:hurts?|aches?|pains?)",
            r"brust ?schmerz[a-z]*|brust(?:druck|enge)|(?:{brust}|herz) (?:tut|tuts|tat) ~ weh|(?:tut|tat) ~ (?:{brust}|herz) ~ weh|(?:{brust}|herz) (?:schmerzt|brennt|sticht|drue?ckt)|(?:schmerz[a-z]*|druck[a-z]*|enge|engegefue?hl|stechen|stiche?|brennen|beklemm[a-z]*|weh) ~ {brust}|{brust} ~ (?:eng|schmerzt|schmerzen|zugeschnue?rt)|herz ?(?:infarkt|anfall|stillstand|schmerz|stechen|stiche?)[a-z]*|(?:schmerz[a-z]*|tut|schmerzt) ~ linke[nrm]? (?:arm|schulter)",
            r"(?:duele[n]?|dolia|dolor(?:es)?|presion|opresion|punzadas?|ardor|molestias?|pinchazos?|apretado) ~~ pecho|peso en el pecho|pecho ~ (?:duele|aprieta|oprimido|apretado)|(?:dolor|duele) ~ (?:brazo izquierdo|corazon)|infarto|ataque (?:al corazon|de corazon|cardiaco)|angina de pecho",
            r"(?:mal|douleurs?|oppress[a-z]*|pression|serrements?|brulures?|pincements?|poids|etau|gene) ~~ (?:poitrine|thorax)|(?:poitrine|thorax) ~ (?:mal|serree?|oppressee?|brule|douleurs?|douloureuse)|(?:douleurs?|oppression|gene) (?:thoraciques?|au coeur)|crise cardiaque|infarctus|angine de poitrine|(?:mal|douleurs?) ~ bras gauche",
        ],
    ),
    (
        RedFlagKind::TroubleBreathing,
        &[
            r"(?:cant|cannot|can not|can t|couldnt|could not|barely|hardly|unable to|not able to|hard to|harder to|hard time|difficult to|difficult|difficulty|difficulties|trouble|troubles|struggle|struggling|struggles|struggled|problems?|fighting|hurts to|hurts when i|painful to|cantbreathe|not) ?(?:be able to |seem to |seems to |really |even |properly |with |in |to |for |my |a |i |get |getting |take |taking |catch |catching |draw |deep |full |any |enough |just |normally )*(?:breath|breathe|breathing|breaths|air)",
            r"breathing (?:problems?|difficult(?:y|ies)|troubles?|issues?)|breathing (?:is|has become|got|feels) ~ (?:hard|harder|difficult|painful|bad|laboured|labored|impossible)|dyspno?ea",
            r"short(?:ness)? (?:of|on|in) breath|breathless(?:ness)?|out of breath ~ (?:rest|resting|sitting|lying|all the time|no reason|doing nothing)|suddenly ~ out of breath|gasping|(?:need|get|getting|no) air|(?:running|run|ran) out of air|suffocat[a-z]+|choking|lips ~ (?:blue|purple|grey|gray)|(?:blue|purple) lips|(?:turning|turned|going|went) blue|(?:stopped|quit|isnt|wasnt|is not) breathing|air hunger|asthma attack",
            r"atem(?:not|probleme|beschwerden|schwierigkeiten)|luftnot|kurzatmig[a-z]*|erstick[a-z]*|(?:keine|kaum|zu wenig|nicht genug|schlecht|schwer) luft|(?:kann|konnte|kriege?|bekomme?) ~ (?:nicht|kaum|schwer|schlecht) ~ (?:atmen|luft)|(?:schwer|probleme|schwierigkeiten|mue?he) ~ (?:atmen|luft|atmung)|(?:ringe|schnappe) ~ luft|atme ~ schwer|bleibt ~ luft weg|lippen ~ blau|blaue lippen|atmet nicht",
            r"(?:no (?:puedo|logro|consigo)|apenas puedo|cuesta|dificultad(?:es)?|problemas?) ~ respirar|falta (?:de |el |me el |mucho el )?(?:aire|aliento)|me (?:estoy )?(?:ahogo|ahogando|asfixio|asfixiando)|ahogandome|sin aliento|labios (?:azules|morados)|no (?:respira|me entra(?: el)? aire)|asfixi[a-z]+",
            r"(?:peux|arrive|parviens|narrive) (?:pas|plus|presque|a peine) ~ respirer|(?:mal|difficultes?|peine|gene) ~ respirer|difficultes? respiratoires?|manque (?:de? ?)?(?:dair|air|souffle)|plus (?:dair|de souffle)|(?:a bout de|le) souffle court|a bout de souffle|essouffle(?:e|ment)?|[jm]?etouff[a-z]+|suffoqu[a-z]+|respire (?:mal|plus|pas)|levres bleues",
        ],
    ),
    (
        RedFlagKind::StrokeSigns,
        &[
            r"stroke|mini ?stroke|(?:face|mouth|smile) ~ (?:droop[a-z]*|numb|numbness|crooked|sagg[a-z]+|lopsided|paraly[sz]ed|twisted|tingl[a-z]+|hanging)|(?:droop[a-z]*|numb|numbness|sagging|paraly[sz][a-z]*|crooked|lopsided) ~ (?:face|mouth|smile)",
            r"slurr[a-z]*|slurs|speech ~ (?:garbled|gone|strange|funny|weird|wrong|unclear|jumbled)|(?:cant|cannot|can not|couldnt|could not|unable to|not able to|struggling to|trouble|difficulty) (?:really |even |suddenly |to )*(?:speak|speaking|talk|form words|find (?:the |my )?words|finding (?:the |my )?words|get (?:my )?words out|understand (?:speech|words))|words ~ (?:wrong|jumbled|slurred|garbled|mixed up)",
            r"(?:(?:my|his|her|left|right|one) (?:arm|leg)|(?:one|left|right) side(?: of (?:my|the|his|her) (?:body|face))?) ~ (?:numb|numbness|weak|weakness|paraly[sz]ed|limp)|(?:arms|legs) ~ (?:numb|paraly[sz]ed|limp)",
            r"(?:numb|numbness|weak|weakness|paraly[sz][a-z]*) ~ (?:one side|left side|right side|(?:my|his|her|left|right|one) (?:arm|leg))|sudden[a-z]* (?:numb|numbness|weak|weakness)|(?:arm|leg|facial) (?:weakness|numbness|paralysis)",
            r"(?:cant|cannot|can not|couldnt) (?:really |even )*(?:feel|move) (?:my|one|the|his|her) (?:left |right |whole )*(?:arm|leg|side|face|body|hand|finger)s?|(?:cant|cannot|can not|couldnt|unable to) (?:raise|lift|use) (?:my|one|his|her) (?:left |right )?(?:arm|leg)|(?:trouble|difficulty|unable to) (?:moving|move|lifting) my (?:left |right )?(?:arm|leg)",
            r"sudden[a-z]* ~ (?:confus[a-z]*|loss of (?:vision|sight)|vision loss|blind|headache|cant see|cannot see)|(?:lost|losing|loss of) (?:my |all |the )?(?:vision|eyesight)|(?:cant|cannot) see (?:out of|from|with) ~ eyes?|vision ~ sudden[a-z]* ~ (?:blurry|blurred|double|gone)|sudden[a-z]* ~ (?:blurry|blurred|double) vision|(?:worst|thunderclap) headache|double vision|seeing double|(?:went|going) blind",
            r"schlaganfall|hirnschlag|halbseitig[a-z]*|(?:gesicht|gesichtshae?lfte|mundwinkel|mund) ~ (?:hae?ngt|taub|gelae?hmt|schief|gefue?hllos)|(?:hae?ngend[a-z]*|taub[a-z]*|gelae?hm[a-z]*|lae?hmung[a-z]*|schief[a-z]*) ~ (?:gesicht[a-z]*|mund[a-z]*|arm|bein|seite)|(?:arm|bein|seite|koe?rperhae?lfte) ~ (?:taub|gelae?hmt|gefue?hllos|kraftlos)|(?:spue?re?|fue?hle?) ~ (?:arm|bein) nicht|(?:arm|bein|seite) (?:gar )?nicht (?:mehr )?(?:richtig )?(?:bewegen|spue?ren|heben)|(?:kann|konnte) (?:auf einmal |ploe?tzlich )?(?:nicht|kaum) ~ (?:sprechen|reden)|sprachstoe?rung[a-z]*|verwaschen[a-z]*|lallen?|ploe?tzlich ~ (?:blind|verwirrt|taub|sehstoe?rung[a-z]*)",
            r"derrame cerebral|paralisis facial|ictus|infarto cerebral|embolia|(?:cara|boca|rostro|brazo|pierna|lado) ~ (?:dormid[oa]|paralizad[oa]|torcid[oa]|caid[oa]|entumecid[oa]|adormecid[oa])|(?:duerme|adormece|paraliza|paralizo|entumece|tuerce|durmio|dormido|adormecido|no siento|no puedo mover) ~ (?:cara|boca|brazo|pierna|medio cuerpo|lado)|media cara|no puedo hablar|arrastro las palabras",
            r"[ld]?avc|paralysie faciale|(?:visage|bouche) ~ tombe|accident vasculaire|attaque cerebrale|(?:visage|bouche|bras|jambe|cote) ~ (?:paralysee?|engourdie?|deformee?|affaissee?|de travers)|(?:paralys[a-z]*|engourdi[a-z]*|faiblesse) ~ (?:visage|bouche|bras|jambe|cote)|(?:peux|arrive|narrive) (?:pas|plus) ~ (?:parler|bouger (?:le|mon|la|ma))|sens (?:plus|pas) (?:mon|ma|le|la) (?:bras|jambe|visage)",
        ],
    ),
    (
        RedFlagKind::SevereHypoglycaemia,
        &[
            r"(?:severe|severely|dangerous|dangerously|extreme|extremely|critical|critically) (?:hypo(?:s|gly[a-z]*)?|low (?:blood )?(?:sugars?|glucose))|bad hypo|(?:very|really) low blood (?:sugars?|glucose)|very low glucose",
            r"{sugar} ~ (?:dangerously|critically|extremely|severely|alarmingly) low|{sugar} (?:levels? )?(?:is|are|s|has|have|keeps|feels|got|gets|went|looks|reads|seems|dropped|fell|drops) (?:[a-z]+ ){0,2}(?:very|too|really|so|super|way) low",
            r"(?:diabetic|insulin|hypogly[a-z]*) (?:shock|coma)|(?:im|i am) (?:having a |in a )?hypo|hypo(?:s|gly[a-z]*)? ~~ (?:confus(?:ed|ion)|faint(?:ed|ing)?|pass(?:ed|ing) out|seizures?|shak(?:ing|y)|trembling|unconscious|sweating)",
            r"diabetic ~~ (?:sweating|shak(?:ing|y)|confused|unconscious)|{sugar} ~~ (?:confused|confusion|faint(?:ed|ing)|pass(?:ed|ing) out|seizures?|unconscious)|(?:low ~ {sugar}|{sugar} ~ low) ~~ (?:shak(?:ing|y)|trembling|dizzy|sweating|cant think|blurry)|(?:shak(?:ing|y)|trembling|dizzy|confused) ~~ (?:low {sugar}|{sugar} (?:is )?low)",
            r"(?:schwer|stark|akut|heftig)[a-z]* ~ (?:unterzuck[a-z]+|hypo(?:glyk[a-z]+)?)|unterzuck[a-z]+ ~~ (?:zitter[a-z]*|verwirrt|ohnmacht|ohnmae?chtig|schwindel[a-z]*|schwindlig|schwitze?n?)|(?:zittere?|verwirrt|schwindlig|schwitze) ~~ unterzuck[a-z]+|(?:bin|ist) (?:gerade |jetzt |total |voe?llig |vermutlich |glaube )*(?:in )?unterzuck[a-z]+|(?:blut)?zucker(?:werte?|spiegel)? (?:ist|sind|liegt) ~ (?:zu|gefae?hrlich|extrem|sehr|bedrohlich) (?:niedrig|tief)|zuckerschock",
            r"hipoglu?[cs]emi[a-z]* (?:grave|severa|aguda|fuerte)|(?:azucar|glucosa|glucemia) (?:esta|anda|la tengo|tengo) ~ (?:muy|demasiado|peligrosamente) baj[oa]|tengo ~ (?:azucar|glucosa|glucemia) ~ (?:muy|demasiado|peligrosamente) baj[oa]|coma diabetico",
            r"hypoglycemies? (?:tres )?(?:severes?|graves?|aigues?)|(?:glycemie|sucre) (?:est|a) ~ (?:tres|trop|dangereusement) bas(?:se)?|coma diabetique|(?:fais|fait|en) (?:une )?(?:grosse )?hypo",
        ],
    ),
    (
        RedFlagKind::Unconsciousness,
        &[
            r"unconscious(?:ness)?|unresponsive|{person} (?:is |are |has |just |suddenly )*(?:not|isnt|wont|doesnt|does not|will not|no longer|arent|stopped) (?:be )?(?:responding|respond|responsive|waking up|wake up|moving)|(?:cant|cannot|can not|couldnt) wake (?:up )?(?:my )?{person}",
            r"pass(?:ed|ing) ?out|(?:almost|nearly|about to|going to|gonna|might|will|think i will|think ill) (?:pass out|faint|black out)|feel(?:ing)? (?:like ~ )?(?:faint|pass(?:ing)? out)|faint(?:ed|ing)|(?:blacked|blacking) ?out|black outs?|blackouts",
            r"(?:lost|losing|lose|loss of) (?:my |his |her )?consciousness|(?:{person}|i|just) (?:just |has |have |suddenly )*collapsed|seizures?|convuls(?:ion|ions|ing|ed)|epileptic fit|having a fit",
            r"bewusstlos[a-z]*|ohnmacht|ohnmae?chtig[a-z]*|bewusstsein ~ verl[a-z]+|verl[a-z]+ ~ bewusstsein|krampfanfae?lle?|epileptisch[a-z]* anfall|zusammengebrochen|umgekippt|kollabiert|nicht (?:mehr )?ansprechbar|(?:er|sie|mann|frau|kind|mutter|vater|baby|opa|oma) (?:reagiert|antwortet|wacht) ~ (?:nicht|nimmer)",
            r"desmay(?:o|os|e|ado|ada|ar|arme|ando|aba|arse)|convulsion(?:es)?|convulsionando|(?:perdi|perdio|perdido|perder|perdida de) (?:el |la )?(?:conocimiento|conciencia|consciencia)|inconsciente|(?:el|ella|marido|mujer|madre|padre|hij[oa]|bebe|abuel[oa]) no (?:responde|reacciona|despierta)",
            r"(?:perdu|perte de|perd|perds) (?:connaissance|conscience)|[sm]?evanoui[a-z]*|inconsciente?|dans les pommes|fait un malaise|crise d ?epilepsie|(?:il|elle) (?:ne )?(?:repond|reagit|se reveille) (?:pas|plus)",
        ],
    ),
    (
        RedFlagKind::Anaphylaxis,
        &[
            r"anaphyla[a-z]*|allergic shock|(?:severe|serious|bad) allergic|allergic (?:reaction|shock) ~~ (?:severe|breath[a-z]*|swell[a-z]*|swollen|throat|dizzy)|(?:need|used|use|using) ~ epi ?pen",
            r"(?:throat|tongue|lips?|face|airways?) ~ (?:swell(?:s|ing|ed)?|swollen|closing|closes|closed|tightening)|(?:swelling|swollen) ~ (?:throat|tongue|lips?|face)",
            r"allergische[rn]? (?:schock|reaktion ~ schwer[a-z]*)|schwere allergische|(?:zunge|hals|kehle|rachen|lippen|gesicht) ~ (?:schwillt|schwellen|geschwollen|zuschwillt|zugeschwollen)|(?:geschwollene[nrs]?|schwillt|schwellen) ~ (?:zunge|hals|kehle|rachen|lippen|gesicht)|(?:hals|kehle) schnue?rt",
            r"anafila[a-z]+|reaccion alergica (?:grave|severa|fuerte)|(?:garganta|lengua|labios|cara) ~ (?:hinchad[oa]s?|hinchan?|hinchando|cierra|cerrando)|(?:hinchan?|hinchad[oa]s?|hinchando|cierra|cerrando) ~ (?:garganta|lengua|labios|cara)",
            r"choc allergique|reaction allergique (?:grave|severe)|(?:gorge|langue|levres|visage) ~ (?:gonfl[a-z]+|enfl[a-z]+|ferme|serre)|(?:gonfl[a-z]+|enfl[a-z]+) ~ (?:gorge|langue|levres|visage)|oedeme de quincke",
        ],
    ),
    (
        RedFlagKind::Overdose,
        &[
            r"overdos(?:e|ed|ing|es)|od ?(?:d|ed|ing)? on {drug}|{took} (?:like |about |around |nearly |just |over |maybe )*(?:too many|too much|way too many|way too much|a lot of|lots of|all(?: of)?|a whole|a full|an entire|the whole|the entire|whole|double|twice|a handful of|handfuls of|a bottle of|a box of|a pack of|[1-9][0-9]{1,2}) (?:of |my |the |his |her |bottle |box |pack |packet |strip |those |these |extra |strong |sleeping |pain |blood |heart |thyroid )*{drug}",
            r"too much insulin|(?:took|taken|swallowed|injected) (?:way )?too (?:many|much)(?: of (?:them|it|those|these))?$|{took} (?:way )?too (?:many|much) of (?:them|those|these)|(?:swallowed|drank|drunk|ate|inhaled) ~ (?:poison|bleach|detergent|antifreeze|battery|batteries|drain cleaner|gas)|poisoned|poisoning",
            r"ue?berdosi[a-z]*|(?:zu viele?|viel zu viele?|eine ganze|alle|[1-9][0-9]{1,2}) ~ (?:tabletten|pillen|schlaftabletten|insulin|paracetamol|ibuprofen|medikamente) ~ (?:genommen|geschluckt|gespritzt|eingenommen)|vergift(?:et|ung)",
            r"sobredosis|(?:tome|tomado|trague|tragado|tomo) ~ (?:demasiad[oa]s?|much[oa]s|tod[oa]s|un frasco|una caja|un bote|[1-9][0-9]{1,2}) ~ (?:pastillas|pildoras|medicamentos?|paracetamol|insulina|tabletas|medicinas?)|envenena[a-z]+|intoxicad[oa]",
            r"surdos(?:e|age)|(?:pris|avale|prends) ~ (?:trop|toute?s?|tous|une boite|un flacon|[1-9][0-9]{1,2}) ~ (?:comprimes|medicaments?|cachets|pilules|insuline|doliprane|paracetamol|somniferes)|empoisonn[a-z]+|intoxique[e]?",
        ],
    ),
    (
        RedFlagKind::SevereBleeding,
        &[
            r"(?:severe|severely|heavy|heavily|massive|uncontroll[a-z]+) bleed[a-z]*|bleed(?:s|ing)? ~ (?:wont stop|will not stop|not stop[a-z]*|doesnt stop|does not stop|isnt stopping|a lot|heavily|badly|uncontroll[a-z]*|out|to death|profusely|everywhere)|(?:wont|cant|cannot|can not|not|doesnt) stop (?:the )?bleeding|blood (?:wont|will not|doesnt) stop",
            r"(?:cough|coughing|coughed|throw|throwing|threw|spit|spitting|spat|vomit|vomiting|vomited|puking) (?:up )?(?:some |bright |red |fresh |a lot of |lots of )*blood|(?:lost|losing) (?:a lot of |lots of |so much |too much )?blood",
            r"(?:blutung|blutet|blute|blut) ~ (?:hoe?rt nicht|nicht stillen|stoppt nicht|zu stoppen|sehr stark|stark)|(?:starke?|schwere?|heftige?) blutung(?:en)?|(?:huste|erbreche|spucke|kotze) blut|blut ~ (?:erbrochen|gehustet|gespuckt)|verblut[a-z]+",
            r"(?:hemorragia|sangrado|sangro|sangra|sangrando) ~ (?:no para|mucho|fuerte|abundante|no se detiene|grave|intensa|masiva|interna)|no (?:para|deja) de sangrar|(?:toso|tosiendo|vomito|vomitando|vomite|vomitado|escupo|escupiendo) sangre|tos con sangre|desangr[a-z]+",
            r"(?:hemorragie|saignements?|saigne) ~ (?:arrete pas|sarrete pas|narrete pas|beaucoup|abondamment|abondants?|grave|importante?)|n ?arrete (?:pas|plus) de saigner|hemorragie|(?:crache|vomi[st]?|tousse) (?:du |de )?sang",
        ],
    ),
];

/// Harmless phrases of which a part would be a sign. They do not span clauses:
/// "It hurts in my chest. Day and night."
const HARMLESS: &[&str] = &[
    // Metrics of watches and sports.
    r"stroke (?:rate|volume|count|length|index|style|type|technique|distance|efficiency|risk|prevention)s?|strokes? per [a-z]+|(?:breast|back|butterfly|swim|swimming|rowing|paddle|golf|tennis|freestyle|crawl|key|brush) strokes?|(?:my|the|swim|swimming) stroke (?:in|while|during|when) (?:swimming|rowing|the pool|the water)|(?:improve|count|train|practice) ~ stroke",
    r"chest (?:strap|band|belt|monitor|sensor|day|press|workout|exercise|fly|freezer|circumference|measurement|size|hair)s?|chest (?:presses|flies|of drawers)|treasure chest|leg (?:day|workout|press)s?",
    r"(?:banda|cinta|correa|press) (?:de|del|en el) pecho|ceinture (?:de )?(?:poitrine|thoracique|cardio)",
    r"breathing (?:rate|sensor|score|exercise)s?|blood (?:pressure|oxygen|flow|type|test|work)s?|air (?:quality|pollution|conditioning|temperature|pressure|pods)|(?:[0-9.]+|many|of|the|in|total|few|more|into|per|my|show|see|count) kms|hypo ?allergenic|side effects?",
    // Breathlessness from sports.
    r"(?:gasping|gasped|breathless|out of breath|choking) (?:and [a-z]+ )?(?:for (?:air|breath) )?(?:after|during|on|from|while|when) (?:[a-z]+ ){0,3}{exercise}|out of breath at rest stops?|essoufflee? (?:apres|pendant|en) (?:le |la |mon |ma |une? |faisant )*(?:sport|course|courir|footing|velo|entrainement|match|natation)|(?:sin aliento) (?:despues|tras) (?:de )?(?:correr|entrenar|la carrera|el entrenamiento)|kurzatmig (?:nach|beim) (?:dem )?(?:joggen|laufen|sport|training|rennen)",
    // Injuries by accident or in sports.
    r"hurt(?:ing)? my ?self (?:while |when |from |by |in |during |at |on |i was )*(?:the |my |a )?(?:{exercise}|work|cooking|gardening)|cut my ?self (?:off|short|some|(?:while |when )?(?:i was )?(?:shaving|cooking|slicing|chopping))",
    // Figures of speech.
    r"take my life (?:back|into)|im gone (?:on|for|to)|heavy bleeding (?:during|with|on|in) (?:my )?(?:periods?|menstruation)|pass(?:ing|ed) out (?:[a-z]+ )?(?:flyers|fliers|leaflets|papers|candy|cards|food|drinks|water|gifts|samples|invitations|brochures)|end(?:ed|ing)? (?:it|it all|things|everything) (?:on a|early|strong)|overdos(?:e|ed|ing|es) on (?:notification|screen time|new|netflix|social media|carb|chocolate|sweet|candy|work|exercise|coffee|tv|cardio|running|sun|sunshine|sleep)s?|suicide (?:squad|run|sprint|drill)s?|(?:cant|cannot) (?:talk|speak) (?:about|highly)|(?:want to|wanna) live without (?:coffee|sugar|chocolate|sports?|running|my (?:watch|phone|ring))|be here all (?:night|day)|collapsed (?:in|into|on|onto) (?:the |my )?(?:bed|sofa|couch)|food poisoning",
    // Risks, and events of the past.
    r"(?:risks?|chances?|probability|history|likelihood|odds) of (?:a |an |having a |getting a )?(?:strokes?|heart attacks?|seizures?)|heart attack (?:risk|prevention)s?|(?:prevent|avoid) (?:a |an |another )?(?:strokes?|heart attacks?)|(?:stroke|heart attack|seizure) (?:last year|(?:[0-9]+|a few|some|two|three|ten) (?:years?|months?) ago|in (?:19|20)[0-9]{2})",
    // Low-sugar diets, and questions about low glucose in the past.
    r"low sugar (?:diet|food|drink|snack|intake|meal|breakfast|yogurt|option)s?|(?:how often|how many times|how long|how much time|when|did i|do i|have i|was i) ~~ (?:very|too|really|so) low (?:blood )?{sugar}",
];

/// Placeholders in [`SIGNS`] and [`HARMLESS`], with the patterns they stand for.
const GROUPS: &[(&str, &str)] = &[
    ("{brust}", r"(?:brust|brustkorb|brustbein)"),
    ("{chest}", r"(?:chest|breast ?bone|sternum)"),
    (
        "{drug}",
        r"(?:pills?|tablets?|capsules?|paracetamols?|tylenol|acetaminophen|ibuprofen|aspirin|insulin|meds?|medications?|medicines?|antidepressants?|painkillers?|opioids?|benzos?|xanax|valium|diazepam|melatonin|codeine|oxycodone|morphine|metformin|fentanyl|sedatives?|drugs|warfarin|digoxin|beta ?blockers?|doses?)",
    ),
    (
        "{exercise}",
        r"(?:runs?|running|ran|jogs?|jogging|sprints?|sprinting|races?|racing|workouts?|working out|training|exercis(?:e|es|ing)|gym|marathon|intervals?|hiit|hikes?|hiking|rides?|riding|cycling|biking|swims?|swimming|skiing|climbing|lifting|squats?|squatting|deadlifts?|football|soccer|basketball|tennis|yoga|playing|crossfit|rowing|game|match)",
    ),
    (
        "{person}",
        r"(?:he|she|they|hes|shes|theyre|him|her|them|baby|child|kid|husband|wife|mother|father|mum|mom|dad|son|daughter|friend|partner|brother|sister|girlfriend|boyfriend|somebody|someone|man|woman|grand[a-z]+)",
    ),
    ("{sugar}", r"(?:sugars?|glucose|bg)"),
    ("{took}", r"(?:took|taken|swallowed|injected|drank|ate)"),
    (" ~~ ", r" (?:[a-z0-9./:]+ ){0,6}"),
    (" ~ ", r" (?:[a-z0-9./:]+ ){0,3}"),
];

/// Replacement of a harmless phrase. It is not a word, so that no sign spans it.
const REMOVED: &str = "#";

// The patterns are constant; a test verifies that they compile.
static SIGNS_COMPILED: LazyLock<Option<RegexSet>> = LazyLock::new(|| {
    let lines = SIGNS.iter().flat_map(|(_, lines)| *lines);
    RegexSetBuilder::new(lines.map(|line| pattern(line)))
        .unicode(false)
        .build()
        .ok()
});

static HARMLESS_COMPILED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    RegexBuilder::new(&pattern(&HARMLESS.join("|")))
        .unicode(false)
        .build()
        .ok()
});

/// Expands a line of the tables to a regular expression.
fn pattern(line: &str) -> String {
    let line = GROUPS.iter().fold(line.to_owned(), |line, (short, long)| {
        line.replace(short, long)
    });
    format!(r"\b(?:{line})\b")
}

/// Returns the first kind of sign in a text that is
/// [normalized](super::spelling::normalize_spelling).
pub fn detect(text: &str) -> Option<RedFlagKind> {
    let text = HARMLESS_COMPILED.as_ref()?.replace_all(text, REMOVED);
    let signs = SIGNS_COMPILED.as_ref()?;
    // Match the whole text, since punctuation is unreliable, and each clause,
    // since some signs match only at the end of one.
    let whole = without_breaks(&text);
    let clauses = text.split(" | ").filter(|_| text.contains('|'));
    let found = std::iter::once(whole.as_str())
        .chain(clauses)
        .flat_map(|text| signs.matches(text).into_iter().min())
        .min()?;
    SIGNS
        .iter()
        .flat_map(|(kind, lines)| lines.iter().map(move |_| *kind))
        .nth(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_compile() {
        assert!(SIGNS_COMPILED.is_some() && HARMLESS_COMPILED.is_some());
        let all = SIGNS.iter().flat_map(|(_, lines)| *lines).chain(HARMLESS);
        for line in all {
            let pattern = pattern(line);
            let is_written_out = !pattern.contains('~') && !pattern.contains("{s");
            assert!(is_written_out && !pattern.contains("  "), "{line}");
        }
    }

    #[test]
    fn harmless_phrase_does_not_hide_a_sign_next_to_it() {
        for (text, expected) in [
            ("my chest strap is tight", None),
            (
                "my chest strap is off and my chest hurts",
                Some(RedFlagKind::ChestPain),
            ),
            (
                "pain in my chest | day and night",
                Some(RedFlagKind::ChestPain),
            ),
            (
                "trouble breathing | rate is 30",
                Some(RedFlagKind::TroubleBreathing),
            ),
            ("stroke rate", None),
        ] {
            assert_eq!(detect(text), expected, "{text}");
        }
    }
}
