"""Turns of phrase by kind: what is said around the findings `<a>`, `<b>`, `<c>` and the device `<d>`.

Names in braces are the grammar's. The kinds are those in which public bug reports of such systems abound.
"""
# ruff: noqa: E501 - folded tables of phrases read worse than long ones

from collections.abc import Mapping

TURNS: Mapping[str, tuple[str, ...]] = {
    "resolving": (
        "<a> has nearly resolved", "near complete resolution of <a>", "near-complete clearing of <a>", "resolving <a>",
        "<a> has almost completely cleared", "<a> is decreased but still present", "partial clearing of <a>", "residual <a>", "incomplete resolution of <a>",
        "<a> has completely resolved", "complete resolution of <a>", "interval clearing of <a>", "<a> is no longer identified",
        "previously described <a> has cleared", "complete resolution of <a> with reaccumulation of <b>", "resolution of <a> with new <b>",
        "<a> has resolved, <b> remains", "recurrence of <a>", "<a> has recurred", "<a> has reaccumulated", "almost total clearing of <a>",
        "<a> has all but disappeared", "<a> has gone", "<a> is gone", "<a> has disappeared", "<a> has not resolved", "<a> has not cleared",
        "<a> has not yet resolved completely", "<a> has failed to clear", "<a> fails to resolve", "failure of <a> to clear", "<a> has resolved but <b> persists",
        "<a> is not visible any more", "the <a> seen before is no longer visible", "<a> cleared, <b> unchanged", "further clearing of <a>", "<a> never cleared",
        "<a> is still not clear", "no residual <a>", "no remaining <a>", "no further <a>", "no persistent <a>", "no recurrence of <a>", "resolved <a>",
    ),
    "change": (
        "no change in <a> or <b>", "no interval change in <a> and <b>", "no increase in <a>", "no significant change in <a>", "no worsening of <a>",
        "no new <a>", "no new <a> or <b>", "no new <a>, persistent <b>", "no new <a>; <a> at the other base is unchanged", "<a> is less conspicuous",
        "increasing <a>, decreasing <b>", "<a>, slightly improved, with <b>", "no recurrent <a>", "<a> unchanged, no <b>",
        "<a> is unchanged and there is no <b>", "interval improvement in <a>, <b> is unchanged", "worsening <a>", "<a> has not changed", "<a> without change",
        "<a> has not increased", "<a> is not worse", "<a> is no worse", "<a> is no better", "no improvement of <a>", "no decrease in <a>", "no progression of <a>",
        "there is no change of <a>", "<a>, not significantly changed", "little change in <a>", "minimal change in <a>", "<a> has not enlarged", "<a> has not grown",
        "without interval change in <a>", "no enlargement of <a>", "<a> is stable without worsening", "<a> has not improved", "no superimposed <a>",
        "no superimposed <a>, <b> is stable", "no additional <a>", "no other <a>", "no acute change in <a>", "<a>, same as before",
    ),
    "earlier film": (
        "the previous film showed <a>; the lungs are clear today", "<a> on the earlier film is no longer seen", "<a> seen on the prior study has cleared",
        "last week there was <a>, now resolved", "compared with the study of yesterday, <a> has resolved", "compared to the prior film there is new <a>",
        "<a> was present on the prior exam and is not seen now", "<a> present on the earlier radiograph has gone", "<a> on the old film, not on this one",
        "the <a> noted previously is now larger", "the <a> seen last month is unchanged", "as on the prior study there is <a>", "<a> is only seen on the previous study",
        "the {one_side} <a> of the last film now involves both sides", "in comparison with the earlier study, <a> is unchanged", "<a> again demonstrated, as before",
        "previously there was <a>. it has resolved", "prior radiograph with <a>; it is now clear", "<a> was seen on the outside film only", "previously noted <a> is unchanged",
        "previously seen <a> persists", "formerly seen <a> is not identified", "compared with the film showing <a>, the chest is now normal", "as compared to ___, <a> has increased",
    ),
    "side": (
        "<a> has resolved on the right and persists on the left", "<a> persists on the right and has cleared on the left", "no <a> on the {one_side}. <a> on the other side",
        "no <a> on the left, moderate one on the right", "no <a> on the right; small <a> on the left", "no left <a>, tiny right one", "<a> on the right, none on the left",
        "<a> in the left lung but not in the right", "no <a> in the right lung, <a> in the left", "<a> improved on the right, not on the left", "the right <a> has cleared; the left has not",
        "left <a> is gone, right <a> remains", "<a> has improved on the right but not on the left", "no right-sided <a>. left-sided <a> is stable", "right lung is clear, left lung shows <a>",
        "there is <a> on the left and none on the right", "no <a> at the left base; persistent <a> at the right base", "no <a> on the left, but there is <a> on the right",
    ),
    "what may be what": (
        "<a>, which may represent <b>", "<a> may represent <b>", "<a> may represent <b> or <c>", "<a>, possibly <b>", "<a>, <b> versus <c>", "<a>, likely <b>",
        "<a>, likely <b>, although <c> is possible", "<a>, favor <b> over <c>", "<a> consistent with <b>", "<a> compatible with <b>", "<a> suggestive of <b>",
        "<a> concerning for <b>", "<a> suspicious for <b>", "<a> could reflect <b>", "<a>, most likely <b>, less likely <c>", "<a>, <b> not excluded",
        "<a>, probably <b>", "<a> likely due to <b>", "<a> likely related to <b> and/or <c>", "<a> reflecting <b>", "<a> in keeping with <b>",
        "<a>, cannot rule out <b>", "findings may reflect <a>", "this could represent <a> in the appropriate clinical setting", "<a>, possibly with <b>",
        "<a> with possible <b>", "<a>, perhaps with some <b>", "definite <a>, possible <b>", "possible <a>. definite <b>", "<a> is certain, <b> is doubtful", "{device} {tip} with possible <a>",
        "the appearance is compatible with <a>", "the pattern is typical of <a>", "the picture is that of <a>", "<a>, ?<b>", "<a> ? <b>", "<a> with superimposed <b>",
        "<a> suggests <b>", "<a> raises the question of <b>", "<a>, query <b>",
    ),
    "doubt": (
        "<a> and/or <b>", "<a> or <b>", "<a>/<b>", "<a> vs. <b>", "<a> vs <b>", "possible <a>", "probable <a>", "questionable <a>", "<a> is possible", "<a> is likely",
        "<a> cannot be entirely excluded", "underlying <a> cannot be excluded", "superimposed <a> would be difficult to exclude", "a component of <a> is not excluded",
        "early <a> is a consideration", "suspect <a>", "suggestion of <a>", "<a> suspected", "there might be <a>", "there may be some <a>", "maybe <a>", "perhaps <a>",
        "unlikely <a>", "<a> is unlikely", "<a> is thought unlikely", "<a> is not unlikely", "<a> is not impossible", "<a> has not been ruled out", "<a> has not been excluded",
        "<a> is not ruled out", "<a> is hard to exclude", "<a> is hard to rule out", "impossible to exclude <a>", "it is difficult to rule <a> out", "one cannot rule <a> out",
        "the absence of <a> cannot be guaranteed", "absence of <a> cannot be confirmed", "exclusion of <a> is not possible on this film", "<a> should be excluded", "recommend ct to rule out <a>",
        "ct is advised to exclude <a>", "further imaging to exclude <a>", "equivocal <a>", "<a> is equivocal", "<a> is questionable", "<a> not entirely excluded", "?<a>", "? <a> ? <b>", "query <a>",
        "subtle <a> would be hard to exclude", "<a> cannot be excluded; no <b>", "we cannot rule out <a>", "suspicion of <a>", "not certain whether there is <a>", "doubtful <a>",
    ),
    "denial": (
        "<a> without <b>", "<a> without <b> or <c>", "<a> but no <b>", "no <a> but <b> is present", "no <a>. <b>", "no <a>, <b>, or <c>", "no <a> or <b>; <c>",
        "without <a> or <b>", "<a> rather than <b>", "neither <a> nor <b>", "no <a> to suggest <b>", "<a>, with no evidence of <b>", "no <a> however there is <b>",
        "no large <a>", "no evidence of <a> with <b> again seen", "negative for <a>", "no definite <a>", "no <a> is seen. <b> is noted", "not seen is <a>",
        "there is <a>. there is no <b>", "<a> and <b> without <c>", "no focal <a>, <b> or <c> is present", "no <a>, stable <b>", "no <a>, stable <b>, no <c>", "no <a>, new <b>, no <c>",
        "no <a>, new <b>", "no <a>, large <b>, no <c>", "no <a>, small <b>, new <c>", "without <a>, there is <b>", "without <a> or <b>, there is <c>", "no <a>/<b>", "no <a>/<b>/<c>", "negative for <a>/<b>",
        "<a> has been ruled out", "<a> has been excluded", "<a> is ruled out", "<a> is excluded", "<a> was ruled out by ct", "<a> ruled out", "we have excluded <a>", "this excludes <a>",
        "negative for <a>. positive for <b>", "positive for <a>, negative for <b>", "<a> is absent", "<a> absent", "<a> not present", "<a> is not present", "<a> is not demonstrated", "no sign of <a> or of <b>",
        "no signs of <a>", "nothing to suggest <a>", "the lungs show no <a>", "lungs are clear of <a>", "the lungs are free of <a> and <b>", "free from <a>", "not free of <a>", "the lungs are not free of <a>", "not clear of <a>", "the left lung is not free of <a>",
        "not without <a>", "there is no <a> and there is no <b>", "no <a> and no <b>", "nor is there <a>", "<a> is seen, <b> is not", "<a> yes, <b> no", "<a> is neither seen nor suspected", "we see no <a>", "i do not see <a>", "no <a> identified",
        "<a> cannot be identified", "<a> is not appreciated", "<a> not seen", "<a> none seen", "no gross <a>", "no obvious <a> or <b>", "no <a> <b> or <c>", "no convincing <a>",
    ),
    "not this but that": (
        "<a> is <b>, not <c>", "<a>, not <b>", "<a> and not <b>", "<a> instead of <b>", "<a> is not due to <b>", "not <a> but <b>", "this is <a>, not <b>", "<a> as opposed to <b>",
        "the finding is <a> rather than <b>", "apparent <a> is a skin fold", "apparent <a> is due to overlapping shadows", "what looks like <a> is a nipple shadow", "<a> but not <b>", "no true <a>, only <b>",
    ),
    "except": (
        "no abnormality other than <a>", "no abnormality except <a>", "no other abnormality than <a>", "nothing but <a>", "the lungs are clear except for <a>", "lungs clear apart from <a>", "clear lungs, save for <a>",
        "normal chest aside from <a>", "unremarkable except for <a>", "otherwise clear lungs with <a>", "no acute findings other than <a>", "besides <a> the chest is normal", "other than <a>, no abnormality", "except for <a>, normal chest",
        "apart from <a> there is no abnormality", "aside from <a>, the lungs are clear", "no <a> except for <b>", "no <a> apart from <b>", "no <a> or <b> other than <c>", "<a>, otherwise normal", "<a>, otherwise unremarkable chest", "with the exception of <a>, lungs are clear",
        "no acute process with the exception of <a>", "normal study, except that <a> is present", "other than <d>, unremarkable", "normal apart from <d>", "unremarkable chest with the exception of <d>", "no <a>. otherwise negative",
    ),
    "template": (
        "<A>: none", "<A>: no", "<A>: negative", "<A>: absent", "<A>: none seen", "<A>: nil", "<A>: not seen", "<A>: yes", "<A>: present", "<A>: small", "<A>: mild", "<A>: possible", "<A>: none. <B>: present", "<A>: no. <B>: yes",
        "<A>: none. <B>: none. <C>: moderate", "<A>: no\n<B>: yes", "<A>: no\n<B>: no\n<C>: yes", "<A> - none", "<A> - present", "<A>: none. <B>: small, {one_side}", "<A>: absent. <B>: absent.", "<A>: negative; <B>: positive", "<A> (no)", "<A>? no", "<A>? none. <B>? yes",
        "heart: normal. lungs: clear. pleura: no <a>", "heart: enlarged. lungs: <a>. bones: normal", "lungs: clear\nheart: normal size\nbones: intact", "lungs: <a>\npleura: <b>\nbones: no <c>", "heart: normal. lungs: <a>.", "lines/tubes: {device}. lungs: clear.",
        "lines: none. <A>: none", "lines and tubes: <d>. <A>: none", "lungs: no <a>. pleura: <b>. heart: normal. bones: normal.", "lungs: clear. pleura: clear. heart: enlarged.", "pleural spaces: clear. lungs: <a>", "mediastinum: normal. <A>: none", "devices: none", "bones: unremarkable. lungs: <a>.",
        "<A>: none. lines: {one_side} picc.", "heart: borderline. lungs: clear.", "heart: not enlarged. pleura: <a>.", "bones: <a>. lungs: no <b>.", "<A>: stable. <B>: resolved.",
    ),
    "list": (
        "1)<a> 2)no <b> 3)<c>", "1.<a> 2.<b>", "1. no <a>2. <b>", "a. <a> b. no <b>", "a) no <a> b) <b> c) <c>", "i. <a> ii. <b>", "- no <a>\n- <b>", "-<a>\n-no <b>\n-<c>", "* <a>\n* no <b>", "#1 <a> #2 no <b>", "no <a>\n<b>\nno <c>", "<a>\nno <b>",
        "no <a> <d> {tip} <b>", "no <a> small left <b>", "<a> no <b>", "<a>; no <b>; <c>", "no <a> stable <b>", "(1) <a> (2) no <b>", "1) no <a>, 2) <b>",
    ),
    "context": (
        "history: <a>. the lungs are clear", "clinical history: <a>. no <b>", "indication: <a>. <b>", "indication: rule out <a>. findings: normal chest", "reason for exam: <a>. there is <b>", "reason for exam: evaluate for <a>. lungs are clear",
        "hx: <a>. <b> is present", "clinical information: <a>\nimpression: <b>", "history: <a>\nfindings: no <b>\nimpression: <c>", "comparison: film with <a>. findings: <b>", "technique: portable ap. <a>", "history of <a>. no <b>", "history of <a>, lungs clear", "patient with history of <a>. <b>",
        "status post treatment for <a>. no <b>", "treated for <a>. chest is now clear", "known history of <a>", "admitted with <a>. heart size is normal", "{mm} film. indication: <a>", "reason: <a>? findings: no <a>", "prior history of <a>, now with <b>", "cough and fever, history of <a>. normal chest radiograph",
        "65 year old with <a>. lungs are clear", "indication: shortness of breath. <a>", "indication: follow up <a>. <a> is unchanged", "history: chf. heart is normal in size", "clinical history: pneumonia. clear lungs", "history: <a>. impression: no acute disease",
    ),
    "advice": (
        "<a>. follow up film to confirm clearing", "<a>. repeat in 4 weeks to document resolution", "normal chest. ct if <a> is suspected clinically", "no <a>. if <b> is a clinical concern, ct is recommended", "<a>; follow up recommended to ensure resolution",
        "recommend ct to evaluate for <a>", "ct recommended if there is concern for <a>", "normal heart and lungs. dedicated views if <a> is suspected", "<a>. recommend thoracentesis", "correlate for <a>", "attention to <a> on follow up", "<a>. suggest tube placement",
    ),
    "device": (
        "<d> has been removed", "<d> was pulled", "<d> was pulled; <a>", "<d> removed, <d> remains", "<d> is out", "interval removal of <d>", "<d> has been exchanged for <d>", "<d> was replaced by <d>", "<d> no longer present", "extubated", "interval extubation",
        "patient is intubated", "no complication of <d>", "no complication after insertion of <d>", "no <a> after <d> placement", "<d> does not need to be moved", "no malposition of <d>", "no kink in <d>", "<d> is not kinked", "<d> without complication", "<d> not malpositioned",
        "<d> should be advanced", "<d> could be withdrawn 2 cm", "tip of <d> is not seen", "<d> in situ", "<d> and <d> in situ", "<d>, <d>, and <d> in place. <a>", "ett in good position. <a>", "ngt tip in stomach, no <a>", "picc tip in svc no <a>", "r ij cvl, ett and ngt in place. <a>",
        "ppm in situ. <a>", "left ppm. no <a>", "ett, ogt and left sc line unchanged. bilat <a>", "no lines or tubes", "no support devices", "status post removal of <d>. no <a>", "<d> remains, <d> has been removed", "sternotomy wires. no <a>", "trach in place, <a>", "dialysis catheter in place of <d>",
    ),
    "heart failure": (
        "chf", "mild chf", "chf with <a>", "worsening chf", "findings of chf", "no chf", "no evidence of chf", "possible chf", "congestive heart failure", "congestive heart failure with <a>",
        "no congestive heart failure", "improving chf", "cardiomegaly without chf", "cardiomegaly with chf", "<a>, consistent with chf", "<a>, may represent chf", "cardiac failure", "no cardiac failure", "cardiac failure with <a>", "no failure", "no overt failure", "in failure",
        "respiratory failure, <a>", "renal failure. no <a>", "acute respiratory failure", "patient with respiratory failure; <a>", "noncardiogenic pulmonary oedema", "pulmonary oedema, improving", "interstitial oedema and kerley b lines", "kerley lines", "upper lobe blood diversion", "cardiac failure with upper lobe diversion and <a>",
        "heart failure, unchanged", "no signs of heart failure", "vascular congestion without overt edema", "mild vascular congestion, no edema",
    ),
    "size": (
        "heart is large", "the heart is big", "big heart", "large heart", "heart is top normal in size", "heart size is top normal", "cardiac size at the upper limit of normal", "cardiothoracic ratio is increased", "the cardiothoracic ratio is normal", "increased c/t ratio",
        "ct ratio less than 0.5", "cardiothoracic ratio over 50 percent", "the heart is slightly big", "heart not enlarged", "heart is of normal size", "heart size normal, <a>", "wide mediastinum", "the mediastinum is wide", "mediastinum is not wide", "no widening of the mediastinum", "widened mediastinum, consider dissection",
        "mediastinal contours normal", "mediastinal drain in place", "mediastinal lymph nodes", "mediastinal clips", "mediastinal shift to the left", "the mediastinum is midline", "enlarged heart, no <a>", "heart appears smaller", "enlarged cardiac shadow", "cardiac shadow is enlarged", "cardiac enlargement with <a>",
        "borderline heart", "heart size cannot be assessed", "heart size and mediastinum normal", "prominent heart",
    ),
    "elsewhere": (
        "pericardial effusion", "pericardial effusion, no pleural effusion", "large pericardial effusion and <a>", "pericardial effusion is smaller while the pleural effusion has increased", "soft tissue edema", "chest wall edema. no <a>", "subcutaneous oedema", "oedema of the legs", "leg edema, lungs clear",
        "knee effusion", "joint effusion at the shoulder", "nipple shadow", "nodular density is a nipple shadow", "bilateral nipple shadows at the bases", "skin lesion over the {one_side} chest", "lytic lesion in the rib", "bone lesion", "sclerotic lesion in the humerus", "thyroid mass", "breast mass", "liver lesion", "adrenal nodule",
        "mass effect on the trachea", "calcified granuloma", "calcified nodule, no <a>", "lesion in the {lobe}", "{mm} lesion in the left upper lobe", "coin lesion", "lung mets", "multiple mets in both lungs", "pulmonary metastases, <a>", "bone mets", "mass-like <a>", "hilar mass", "masslike consolidation",
        "enlarged thyroid", "{one_side} hilum is bulky", "bulky hilum, query tumour", "fractured sternal wire", "fracture of a sternotomy wire", "fractured lead",
    ),
    "fracture": (
        "broken rib", "broken {one_side} clavicle", "{one_side} rib fx", "rib fxs", "old fractures", "healed fracture of the {one_side} clavicle", "remote rib fractures", "no fx", "no rib fx or <a>", "fracture fixation with plate and screws", "clavicle fracture with plate", "humeral fracture status post fixation", "bones intact",
        "the bones are intact, no <a>", "no displaced fracture. <a>", "vertebral compression fracture", "vertebral fracture, age indeterminate", "callus at old rib fractures", "ribs intact. <a>", "fracture line", "cortical break of the {one_side} 5th rib", "no bony injury", "ribs are broken",
    ),
    "plain": (
        "<a>", "<a>", "<a>", "<a> is present", "<a> and <b>", "<a> with <b>", "there is <a>", "small <a>", "stable <a>", "mild <a>", "<a> on the left", "right <a>", "bilateral <a>", "minimal <a>", "<a>, <b>, and <c>", "<a> as before", "known <a>",
        "<a> + <b>", "<a> & <b>", "<a> w/ <b>", "<a> w/o <b>", "sm <a>", "mod l <a>", "lg r <a>", "bilat <a>", "b/l <a>", "r <a>", "l <a>", "<a> pattern", "<a>, slowly improving", "the patient has <a>", "dr. ___ was told of <a> at ___", "<a> at the XXXX base", "XXXX <a>. no XXXX <b>", "no XXXX <a>",
        "<a> XXXX", "layering <a>", "<a> noted", "evidence of <a>", "signs of <a>", "obvious <a>", "<a> has developed", "development of <a>", "<a> is larger", "<a> involving both lungs", "heart size is XXXX normal. XXXX <a>",
    ),
    "normal": (
        "normal", "normal chest", "clear lungs", "lungs clear. heart normal", "no acute disease", "no abnormality", "unremarkable", "chest clear", "clear chest", "nothing acute", "nad", "wnl", "lungs and pleural spaces are clear", "normal study", "negative", "no significant abnormality", "normal heart and lungs", "clear",
        "no active lung disease", "no focal abnormality", "lungs are well aerated", "sharp costophrenic angles", "the costophrenic angles are sharp, heart normal", "normal radiographic appearances", "heart and lungs are normal", "satisfactory appearances. lungs clear",
    ),
}  # fmt: skip
