"""Does a message speak of law?"""

from __future__ import annotations

from router.mentions.lexicon import Lexicon
from router.mentions.said import Said

LEXICON = Lexicon.of(
    certain="""
    lawsuit lawsuits lawyer lawyers attorney attorneys solicitor barrister paralegal plaintiff plaintiffs defendant
    defendants litigation litigate litigant subpoena indemnity indemnify indemnification statute statutes statutory
    jurisdiction affidavit felony misdemeanor misdemeanour prosecutor prosecution prosecuted appellant appellee appellate
    tort torts arbitration arbitrator nda ndas gdpr hipaa ccpa copyright copyrights copyrighted trademark trademarks
    infringement infringe infringes unlawful lawful unlawfully legality illegality legislation constitutional
    unconstitutional custody probate testator estoppel bailiff habeas sued suing negligence negligent larceny
    manslaughter homicide perjury jurisprudence severability
    anwalt anwälte anwältin rechtsanwalt rechtsanwältin rechtlich rechtliche rechtlichen rechtswidrig juristisch juristische
    amtsgericht landgericht arbeitsgericht verwaltungsgericht oberlandesgericht bundesgerichtshof gerichtlich
    klage klagen kläger klägerin beklagte beklagten urteil gesetz gesetze gesetzlich
    gesetzliche gesetzlichen haftung haftet dsgvo datenschutz bgb stgb hgb agb vertrag verträge vertrags vertraglich
    vertragliche kündigung kündigungsfrist kündigungsschutz abmahnung widerrufsrecht verjährung schadensersatz
    strafbar straftat staatsanwalt notar testament erbrecht mietrecht arbeitsrecht impressum
    avocat avocats avocate juridique juridiques tribunal tribunaux litige litiges procès plaignant jurisprudence notaire
    rgpd légalement illégal illégale préavis licenciement contrat contrats résiliation résilier pénal pénale
    abogado abogada abogados jurídico jurídica jurídicos demanda demandar demandado demandante juicio juzgado
    legalmente ilegal ilegales contrato contratos cláusula cláusulas sentencia indemnización litigio despido notario
    """,
    likely="""
    law laws legal legally illegal illegally court courts judge judges jury contract contracts contractual clause clauses
    agreement agreements sue sues suit party parties liable liability rights evidence claim claims appeal appeals trial
    compliance regulation regulations amendment tenant tenants landlord lease leases evict evicted eviction divorce penalty
    damages crime crimes criminal guilty convicted conviction warranty terminate termination notice breach breached
    breaches act enforceable enforce binding void constitution congress supreme fraud theft assault testify witness
    sentenced license licence patent patents consent privacy employer dismissed dismissal heir inheritance
    mandatory counsel hearsay dispute
    gericht recht rechte paragraph klausel frist vermieter mieter strafe richter gekündigt erbe haften einspruch
    loi lois légal légale droit droits clause propriétaire locataire bail juge plainte avocate tribunal code
    ley leyes legal derecho derechos inquilino arrendador juez delito denuncia multa rescindir
    """,
    phrases="""
    legal advice
    legal action
    legal notice
    legal document
    take legal
    is it legal
    is it illegal
    against the law
    by law
    under the law
    law firm
    rule of law
    international law
    civil law
    common law
    criminal law
    contract law
    labor law
    labour law
    employment law
    case law
    the contract
    this contract
    my contract
    our contract
    their contract
    a contract
    employment contract
    terms of service
    terms and conditions
    terms of use
    power of attorney
    intellectual property
    breach of
    small claims
    court order
    in court
    to court
    supreme court
    district court
    due diligence
    non disclosure
    non compete
    lease agreement
    license agreement
    rental agreement
    confidentiality agreement
    force majeure
    cease and desist
    last will
    restraining order
    statute of limitations
    due process
    fourth amendment
    first amendment
    privacy policy
    allgemeine geschäftsbedingungen
    vor gericht
    laut gesetz
    mentions légales
    conditions générales
    droit du travail
    droit civil
    code civil
    code du travail
    en justice
    porter plainte
    términos y condiciones
    asesoría legal
    código civil
    código penal
    derecho laboral
    es legal
    """,
    endings="vertrag vertrags verträge vertrages gesetz gesetze gesetzbuch anwalt klausel rechtlich",
)


def found_in(said: Said) -> bool:
    """Whether it speaks of law, contracts or courts."""
    return LEXICON.found_in(said)
